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
  data: async () => (await import('../verbs/verify/data.ts')).verify,
  app: async () => (await import('../verbs/verify/app.ts')).verifyApps,
};
export const verify = verb(verifyParts);
export const verifyBatch = verbBatch(verifyParts);

const planParts = {
  options: () => import('../verbs/plan/options.ts'),
  data: async () => (await import('../verbs/plan/data.ts')).plan,
  app: async () => (await import('../verbs/plan/app.ts')).planApps,
};
export const plan = verb(planParts);
export const planBatch = verbBatch(planParts);

const statusParts = {
  options: () => import('../verbs/status/options.ts'),
  data: async () => (await import('../verbs/status/data.ts')).status,
  app: async () => (await import('../verbs/status/app.ts')).statusApps,
};
export const status = verb(statusParts);
export const statusBatch = verbBatch(statusParts);

const rollbackParts = {
  options: () => import('../verbs/rollback/options.ts'),
  data: async () => (await import('../verbs/rollback/data.ts')).rollback,
  app: async () => (await import('../verbs/rollback/app.ts')).rollbackApps,
};
export const rollback = verb(rollbackParts);

const drillParts = {
  options: () => import('../verbs/drill/options.ts'),
  data: async () => (await import('../verbs/drill/index.ts')).drill,
};
export const drill = verb(drillParts);

const inventoryParts = {
  options: () => import('../verbs/inventory/options.ts'),
  data: async () => (await import('../verbs/inventory/data.ts')).inventory,
  app: async () => (await import('../verbs/inventory/app.ts')).inventoryApps,
};
export const inventory = verb(inventoryParts);

const snapshotsParts = {
  options: () => import('../verbs/snapshots/options.ts'),
  data: async () => (await import('../verbs/snapshots/index.ts')).snapshots,
};
export const snapshots = verb(snapshotsParts);

const pruneParts = {
  options: () => import('../verbs/prune/options.ts'),
  data: async () => (await import('../verbs/prune/index.ts')).prune,
};
export const prune = verb(pruneParts);

const logParts = {
  options: () => import('../verbs/log/options.ts'),
  data: async () => (await import('../verbs/log/index.ts')).log,
};
export const log = verb(logParts);

const artifactParts = {
  options: () => import('../verbs/artifact/options.ts'),
  perform: async () => (await import('../verbs/artifact/index.ts')).artifact,
};
export const artifact = ahead(artifactParts);
export const artifactBatch = aheadBatch(artifactParts);
