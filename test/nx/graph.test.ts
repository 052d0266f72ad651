import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Workspace } from '../e2e/workspace.ts';
import { copyRepository } from './copy.ts';

let copy: Workspace;
beforeAll(async () => {
  copy = await copyRepository();
});
afterAll(() => rm(copy.root, { recursive: true, force: true }));

it('nx graph shows containers, the storage host and applications, with an edge for what each stands on', async () => {
  await copy.edit('infra/apps/pote/app.json', (app) => Object.assign(app, { needs: ['postgres'] }));
  const { code, output } = await copy.nx(['graph', '--file=graph.json']);
  expect(code, output).toBe(0);
  const { graph } = JSON.parse(await readFile(join(copy.root, 'graph.json'), 'utf8')) as {
    graph: { dependencies: Record<string, { target: string }[]> };
  };
  const edges = Object.entries(graph.dependencies).map(([project, to]) => [project, to.map(({ target }) => target).sort()]);
  expect(Object.fromEntries(edges)).toEqual({
    zfs: ['nx-mooring'],
    postgres: ['nx-mooring', 'zfs'],
    redis: ['nx-mooring', 'zfs'],
    rabbitmq: ['nx-mooring', 'zfs'],
    minio: ['nx-mooring', 'zfs'],
    pote: ['nx-mooring', 'postgres'],
    notes: ['nx-mooring'],
    'nx-mooring': [],
    checks: [],
  });
});
