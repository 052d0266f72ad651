import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appProject, containerProject, storageProject } from '../../plugin/targets.ts';
import { readerOf } from '../../workspace/files.ts';
import { refuseIfNoPart } from './part.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring-part-'));
  const files = {
    'infra/redis/container.json': { environments: ['staging'] },
    'infra/minio/container.json': {},
    'infra/broken/container.json': '{',
    'infra/apps/pote/app.json': { environments: { dev: {}, staging: {} } },
    'infra/apps/shop/app.json': { environments: { qa: {} } },
    'infra/environments/dev.json': { proxmox: {} },
    'infra/environments/staging.json': { incus: {}, proxmox: {} },
    'infra/environments/prod.json': { incus: {} },
  };
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
});
afterAll(() => rmSync(root, { recursive: true }));

const inferred = { description: 'x', environments: ['dev'], environmentFolder: 'infra/environments', implicitDependencies: [] };
const container = (name: string) =>
  containerProject({ ...inferred, name, root: `infra/${name}`, service: name, storage: 'zfs', hasArtifacts: false });
const app = (name: string) => appProject({ ...inferred, name, root: `infra/apps/${name}`, kind: 'node', needs: [], storage: '' });
const projects = {
  zfs: storageProject({ ...inferred, name: 'zfs', root: 'infra/zfs' }),
  redis: container('redis'),
  minio: container('minio'),
  broken: container('broken'),
  pote: app('pote'),
  shop: app('shop'),
};

function refusal(names: string[], environment: string): string | undefined {
  const tasks = Object.fromEntries(names.map((project) => [project, { target: { project } }]));
  const context = { root, projectsConfigurations: { version: 2, projects }, nxJsonConfiguration: {}, taskGraph: { tasks } };
  try {
    refuseIfNoPart(context as unknown as ExecutorContext, environment, readerOf(root));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

it.each<[string[], string]>([
  [['zfs'], 'staging'],
  [['zfs', 'minio', 'redis'], 'prod'],
  [['broken'], 'prod'],
  [['zfs', 'redis', 'pote'], 'dev'],
  [['pote', 'shop'], 'dev'],
  [['zfs', 'redis', 'shop'], 'staging'],
])('%s in %s: one of them is part of it', (names, environment) => expect(refusal(names, environment)).toBeUndefined());

it.each<[string[], string, string]>([
  [['zfs', 'redis'], 'prod', 'no project of this run is part of prod: redis (only staging)'],
  [
    ['zfs', 'minio'],
    'dev',
    'no project of this run is part of dev: zfs (dev is of applications only), minio (dev is of applications only)',
  ],
  [['shop'], 'dev', 'no project of this run is part of dev: shop (only qa)'],
  [['pote', 'shop'], 'prod', 'no project of this run is part of prod: pote (only dev, staging), shop (only qa)'],
])('%s in %s is refused', (names, environment, message) => expect(refusal(names, environment)).toBe(message));
