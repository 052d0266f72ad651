// Written by `npm run generate`, from verbs/table.ts.
import { ahead, aheadBatch, steps, stepsBatch, verb, verbBatch } from './shared/entry.ts';

const convergeParts = {
  options: async () => (await import('../verbs/deploy/options.ts')).data,
  perform: async () => (await import('../verbs/deploy/data.ts')).dataTasks,
};
export const converge = steps(convergeParts);
export const convergeBatch = stepsBatch(convergeParts);

const appParts = {
  options: async () => (await import('../verbs/deploy/options.ts')).app,
  perform: async () => (await import('../verbs/deploy/app.ts')).appTasks,
};
export const app = steps(appParts);
export const appBatch = stepsBatch(appParts);

const verifyParts = {
  options: () => import('../verbs/verify/options.ts'),
  data: async () => ({
    verb: (await import('../verbs/verify/data.ts')).verify,
    report: (await import('../report/verify.ts')).verifyReport,
  }),
  app: async () => ({
    verb: (await import('../verbs/verify/app.ts')).verifyApps,
    report: (await import('../report/verify.ts')).verifyAppsReport,
  }),
};
export const verify = verb(verifyParts);
export const verifyBatch = verbBatch(verifyParts);

const planParts = {
  options: () => import('../verbs/plan/options.ts'),
  data: async () => ({
    verb: (await import('../verbs/plan/data.ts')).plan,
    report: (await import('../report/plan.ts')).planReport,
  }),
  app: async () => ({
    verb: (await import('../verbs/plan/app.ts')).planApps,
    report: (await import('../report/plan.ts')).planAppsReport,
  }),
};
export const plan = verb(planParts);
export const planBatch = verbBatch(planParts);

const statusParts = {
  options: () => import('../verbs/status/options.ts'),
  data: async () => ({
    verb: (await import('../verbs/status/data.ts')).status,
    report: (await import('../report/status.ts')).statusReport,
  }),
  app: async () => ({
    verb: (await import('../verbs/status/app.ts')).statusApps,
    report: (await import('../report/status.ts')).statusAppsReport,
  }),
};
export const status = verb(statusParts);
export const statusBatch = verbBatch(statusParts);

const rollbackParts = {
  options: () => import('../verbs/rollback/options.ts'),
  data: async () => ({
    verb: (await import('../verbs/rollback/data.ts')).rollback,
    report: (await import('../report/rollback.ts')).rollbackReport,
  }),
  app: async () => ({
    verb: (await import('../verbs/rollback/app.ts')).rollbackApps,
    report: (await import('../report/rollback.ts')).rollbackAppsReport,
  }),
};
export const rollback = verb(rollbackParts);

const drillParts = {
  options: () => import('../verbs/drill/options.ts'),
  data: async () => ({
    verb: (await import('../verbs/drill/index.ts')).drill,
    report: (await import('../report/drill.ts')).drillReport,
  }),
};
export const drill = verb(drillParts);

const inventoryParts = {
  options: () => import('../verbs/inventory/options.ts'),
  data: async () => ({
    verb: (await import('../verbs/inventory/data.ts')).inventory,
    report: (await import('../report/inventory.ts')).inventoryReport,
  }),
  app: async () => ({
    verb: (await import('../verbs/inventory/app.ts')).inventoryApps,
    report: (await import('../report/inventory.ts')).inventoryAppsReport,
  }),
};
export const inventory = verb(inventoryParts);

const snapshotsParts = {
  options: () => import('../verbs/snapshots/options.ts'),
  data: async () => ({
    verb: (await import('../verbs/snapshots/index.ts')).snapshots,
    report: (await import('../report/snapshots.ts')).snapshotsReport,
  }),
};
export const snapshots = verb(snapshotsParts);

const pruneParts = {
  options: () => import('../verbs/prune/options.ts'),
  data: async () => ({
    verb: (await import('../verbs/prune/index.ts')).prune,
    report: (await import('../report/prune.ts')).pruneReport,
  }),
};
export const prune = verb(pruneParts);

const logParts = {
  options: () => import('../verbs/log/options.ts'),
  data: async () => ({
    verb: (await import('../verbs/log/index.ts')).log,
    report: (await import('../report/log.ts')).logReport,
  }),
};
export const log = verb(logParts);

const artifactParts = {
  options: () => import('../verbs/artifact/options.ts'),
  perform: async () => ({
    verb: (await import('../verbs/artifact/index.ts')).artifact,
    report: (await import('../report/artifact.ts')).artifactReport,
  }),
};
export const artifact = ahead(artifactParts);
export const artifactBatch = aheadBatch(artifactParts);
