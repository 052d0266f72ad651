import fs, { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { allTasks, converge } from '../../../../../test/scripted/deploy.ts';
import { fakeHost, place, requestOfC00 } from '../../../../../test/scripted/host.ts';
import { hasCompleted, SERVICE, workspace } from '../../../../../test/scripted/workspace.ts';
import type { BatchResult } from '../../executors/shared/request.ts';
import { runSteps } from '../../executors/shared/steps.ts';
import { containerProject, storageProject } from '../../plugin/targets.ts';
import { containerSchema } from '../../workspace/container.ts';
import { plan } from '../plan/data.ts';
import { dataTasks } from './data.ts';
import { type DataRequest, data } from './options.ts';

/** The same as Nx does it: by the executor, which is given the targets that the plugin made. */
async function executed(): Promise<BatchResult[]> {
  const inferred = { description: '', environments: ['local'], environmentFolder: 'infra/environments', implicitDependencies: [] };
  const container = (name: string) =>
    containerProject({ ...inferred, name, root: `infra/${name}`, service: './service.ts', storage: 'zfs', hasArtifacts: false });
  const projects = {
    zfs: storageProject({ ...inferred, name: 'zfs', root: 'infra/zfs' }),
    ...Object.fromEntries(place.names.map((name) => [name, container(name)])),
  };
  const tasks = allTasks();
  const graph = {
    roots: ['zfs:preflight'],
    tasks: Object.fromEntries(
      tasks.map(({ id, project, step }) => [
        id,
        { id, target: { project, target: step, configuration: 'local' }, overrides: {}, outputs: [] },
      ]),
    ),
    dependencies: Object.fromEntries(tasks.map(({ id, dependsOn }) => [id, [...dependsOn]])),
  } as unknown as TaskGraph;
  const context = {
    ...{ root: place.folder, cwd: place.folder, isVerbose: false, nxJsonConfiguration: {}, taskGraph: graph },
    projectsConfigurations: { version: 2, projects },
  } as unknown as ExecutorContext;
  const options = Object.fromEntries(tasks.map(({ id, step }) => [id, { step, environment: 'local', allowDirty: true }]));
  const onFake = (request: DataRequest) => dataTasks({ ...request, world: { ...request.world, openHost: async () => fakeHost() } });
  const results: BatchResult[] = [];
  const load = { options: async () => data, perform: async () => onFake };
  for await (const { result } of runSteps(load, graph, options, context)) results.push(result);
  return results;
}

afterEach(() => rmSync(place.folder, { recursive: true, force: true }));

describe('a deploy that has nothing to do', () => {
  it.each([1, 4, 16])('costs at most 3 round trips for %i containers', async (count) => {
    workspace(count);
    hasCompleted();
    const { results, printed } = await converge();
    expect(
      [...results.values()].every(({ success }) => success),
      printed,
    ).toBe(true);
    expect(results.size).toBe(2 + 3 * count);
    expect(place.trips).toBeLessThanOrEqual(3);
    expect(printed).toContain('local: 0 changes; 3 round trips');
    expect(readFileSync(join(place.folder, 'calls'), 'utf8')).not.toMatch(/^(config|snapshot|create|start)/m);
  });
});

describe('the files of the containers', () => {
  it('are read once and validated once in the process that acts on them', async () => {
    workspace(2);
    hasCompleted();
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const reads = vi.spyOn(fs, 'readFileSync');
    syncBuiltinESMExports();
    const validations = vi.spyOn(containerSchema, 'safeParse');
    const results = await executed();
    const read = reads.mock.calls.map(([path]) => String(path)).filter((path) => path.endsWith('/container.json'));
    reads.mockRestore();
    syncBuiltinESMExports();
    expect(results).toHaveLength(8);
    expect(results).toEqual(Array(8).fill({ success: true, terminalOutput: '' }));
    expect(read.sort()).toEqual(place.names.map((name) => join(place.folder, 'infra', name, 'container.json')));
    expect(validations).toHaveBeenCalledTimes(place.names.length);
  });
});

describe('a trial that refuses what is right', () => {
  const TRIAL = `tried: {
    name: 'trial', command: { argv: ['false'], effect: 'read' }, withoutTrial: { argv: ['true'], effect: 'read' },
    parse: (r) => { if (r.code !== 0) throw new Error('refused by the trial'); },
  }, now:`;

  it('keeps plan and configure from it, but for --skip-trial', async () => {
    workspace(1);
    hasCompleted();
    writeFileSync(join(place.folder, 'infra/c00/service.ts'), SERVICE(import.meta.resolve('zod')).replace('now:', TRIAL));
    const flags = { create: [], newHost: [], leaveBehind: [], without: [], adopt: [], failOnChanges: false, json: false, markdown: false };
    const planned = (skipTrial: boolean) => plan({ ...requestOfC00(), options: { ...flags, skipTrial } });
    const { success, data } = await planned(false);
    expect([success, data.refused.map(({ error }) => error.message)]).toEqual([false, [expect.stringContaining('refused by the trial')]]);
    expect((await planned(true)).success).toBe(true);
    expect((await converge()).results.get('c00:configure')).toMatchObject({
      success: false,
      output: expect.stringContaining('by the trial'),
    });
    const { results, printed } = await converge({ skipTrial: true });
    expect(results.get('c00:configure')?.success, printed).toBe(true);
  });
});

describe('a restore point that cannot be cut', () => {
  beforeEach(() => workspace(2));

  it('stops everything before anything is touched, and gives every task a result', async () => {
    for (const name of place.names) writeFileSync(join(place.folder, 'instances', `x-${name}`), 'drifted');
    const { results, printed } = await converge();
    expect(results.get('zfs:snapshot')?.success).toBe(false);
    expect(printed).toContain('no space left on device');
    expect(results.get('c00:configure')).toEqual({ success: false, output: 'c00:configure: not run, because c00:provision failed' });
    expect(results.size).toBe(8);
    expect(readFileSync(join(place.folder, 'instances/x-c00'), 'utf8')).toBe('drifted');
    const audit = readFileSync(join(place.folder, 'state/local/audit.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(audit.map(({ what, result }) => `${what} ${result}`)).toEqual([
      ...['deploy started', 'failure failed', 'place ok', 'place ok', 'deploy failed'],
    ]);
  });
});
