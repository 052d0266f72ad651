import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutorContext, Task, TaskGraph } from '@nx/devkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { InputError } from '../../engine/errors.ts';
import { containerProject, storageProject } from '../../plugin/targets.ts';
import type { StepResult } from '../../shared/request.ts';
import { type DataRequest, data } from '../../verbs/deploy/options.ts';
import { runStep, runSteps } from './steps.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring-run-'));
  mkdirSync(join(root, 'infra', 'redis'), { recursive: true });
  writeFileSync(join(root, 'infra/redis/container.json'), JSON.stringify({ environments: ['local', 'prod'] }));
});
afterAll(() => rmSync(root, { recursive: true }));

const inferred = {
  description: 'x',
  environments: ['local', 'prod', 'qa'],
  environmentFolder: 'infra/environments',
  implicitDependencies: [],
};
const projects = {
  zfs: storageProject({ ...inferred, name: 'zfs', root: 'infra/zfs' }),
  redis: containerProject({ ...inferred, name: 'redis', root: 'infra/redis', service: 'redis', storage: 'zfs', hasArtifacts: false }),
};

const steps = ['zfs:preflight', 'zfs:snapshot', 'redis:snapshot', 'redis:provision', 'redis:configure'];

/** The chain of one container as nx gives it to a batch. */
function chain(configuration: string | undefined): TaskGraph {
  const id = (step: string) => [step, configuration].filter(Boolean).join(':');
  const task = (step: string) => {
    const [project = '', target = ''] = step.split(':');
    return {
      id: id(step),
      target: { project, target, ...(configuration === undefined ? {} : { configuration }) },
      overrides: {},
      outputs: [],
      parallelism: true,
      cache: false,
    } satisfies Task;
  };
  return {
    roots: [id('zfs:preflight')],
    tasks: Object.fromEntries(steps.map((step) => [id(step), task(step)])),
    dependencies: Object.fromEntries(steps.map((step, i) => [id(step), i === 0 ? [] : [id(steps[i - 1] as string)]])),
    continuousDependencies: {},
  };
}

function optionsOf(graph: TaskGraph, flags: Record<string, unknown> = {}) {
  return Object.fromEntries(
    Object.values(graph.tasks).map(({ id, target }) => [
      id,
      {
        step: target.target,
        ...(target.configuration === undefined ? {} : { environment: target.configuration }),
        __overrides_unparsed__: [],
        ...flags,
      },
    ]),
  );
}

function contextOf(graph: TaskGraph, more: Partial<ExecutorContext> = {}): ExecutorContext {
  return {
    root,
    cwd: root,
    isVerbose: false,
    projectsConfigurations: { version: 2, projects },
    nxJsonConfiguration: {},
    projectGraph: { nodes: {}, dependencies: {} },
    taskGraph: graph,
    ...more,
  };
}

type Perform = (request: DataRequest) => AsyncIterable<StepResult>;
/** The steps of a deploy of containers, performed in another way. */
const as = (perform: Perform) => ({ options: async () => data, perform: async () => perform });

async function batch(perform: Perform, graph: TaskGraph = chain('local'), options = optionsOf(graph)) {
  const results: Record<string, unknown> = {};
  for await (const { task, result } of runSteps(as(perform), graph, options, contextOf(graph))) {
    expect(results).not.toHaveProperty(task);
    results[task] = result;
  }
  return results;
}

const succeeding: Perform = async function* ({ tasks }) {
  for (const { id } of tasks) yield { id, success: true, output: `${id}: 0 changes` };
};

let printed: string[];
beforeEach(() => {
  printed = [];
  vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line) => void printed.push(line));
});
afterEach(() => vi.restoreAllMocks());

describe('a batch', () => {
  it('asks the verb once, with steps and edges from the targets', async () => {
    const requests: DataRequest[] = [];
    await batch((request) => {
      requests.push(request);
      return succeeding(request);
    });
    expect(requests).toHaveLength(1);
    const { signal: _, print: _print, world: _world, root: where, runId, ...request } = requests[0] ?? expect.fail();
    expect(where).toBe(root);
    expect(runId).toMatch(/^\d{8}T\d{6}-[0-9a-f]{12}$/);
    expect(request).toStrictEqual({
      environment: 'local',
      options: { adopt: [], allowDirty: false, create: [], dryRun: false, leaveBehind: [], newHost: [], skipTrial: false, without: [] },
      projects: ['zfs', 'redis'],
      tasks: [
        { dependsOn: [], id: 'zfs:preflight:local', project: 'zfs', step: 'preflight' },
        { dependsOn: ['zfs:preflight:local'], id: 'zfs:snapshot:local', project: 'zfs', step: 'snapshot' },
        { dependsOn: ['zfs:snapshot:local'], id: 'redis:snapshot:local', project: 'redis', step: 'snapshot' },
        { dependsOn: ['redis:snapshot:local'], id: 'redis:provision:local', project: 'redis', step: 'provision' },
        { dependsOn: ['redis:provision:local'], id: 'redis:configure:local', project: 'redis', step: 'configure' },
      ],
    });
  });

  it('prints what succeeded, and leaves what failed to nx', async () => {
    const results = await batch(async function* ({ tasks }) {
      for (const [i, { id }] of tasks.entries()) yield { id, success: i < 2, output: i < 2 ? `${id} done` : `${id} failed` };
    });
    expect(printed).toEqual(['zfs:preflight:local done', 'zfs:snapshot:local done']);
    expect(results).toEqual({
      'zfs:preflight:local': { success: true, terminalOutput: '' },
      'zfs:snapshot:local': { success: true, terminalOutput: '' },
      'redis:snapshot:local': { success: false, terminalOutput: 'redis:snapshot:local failed\n' },
      'redis:provision:local': { success: false, status: 'skipped', terminalOutput: 'redis:provision:local failed\n' },
      'redis:configure:local': { success: false, status: 'skipped', terminalOutput: 'redis:configure:local failed\n' },
    });
  });

  it('keeps what is done when the verb throws in the middle, and gives every other task a result', async () => {
    const results = await batch(async function* ({ tasks }) {
      for (const { id } of tasks.slice(0, 1)) yield { id, success: true, output: id };
      throw new InputError('the cable is cut', { next: 'fix it' });
    });
    expect(Object.keys(results)).toHaveLength(5);
    expect(results['zfs:preflight:local']).toMatchObject({ success: true });
    expect(results['zfs:snapshot:local']).toEqual({
      success: false,
      terminalOutput: 'the cable is cut\n  next:    fix it\n  more:    docs/errors.md#before-a-host-is-asked\n',
    });
    expect(results['redis:configure:local']).toMatchObject({ success: false, status: 'skipped' });
  });

  it('gives a result to a task the verb forgot, and one only to a task it names twice', async () => {
    const results = await batch(async function* ({ tasks }) {
      for (const { id } of [...tasks, ...tasks].filter((task) => task.project === 'zfs')) yield { id, success: true, output: id };
      yield { id: 'stranger', success: true, output: 'stranger' };
    });
    expect(Object.keys(results)).toHaveLength(5);
    expect(results['redis:snapshot:local']).toMatchObject({
      success: false,
      terminalOutput: expect.stringContaining('a bug in nx-mooring'),
    });
  });

  it('lets the verb end in its own way on SIGTERM, and leaves no listener behind', async () => {
    const before = process.listenerCount('SIGTERM');
    const results = await batch(async function* ({ tasks, signal }) {
      process.emit('SIGTERM');
      process.emit('SIGTERM');
      for (const { id } of tasks) yield { id, success: false, output: `${signal.aborted} ${signal.reason}` };
    });
    expect(results['zfs:preflight:local']).toMatchObject({ success: false, terminalOutput: 'true ended by SIGTERM\n' });
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});

describe('refused before the verb is asked', () => {
  const never: Perform = () => expect.fail('the verb was asked');
  const first = async (graph: TaskGraph, options = optionsOf(graph)) =>
    ((await batch(never, graph, options))[graph.roots[0] as string] as { terminalOutput: string }).terminalOutput;

  it.each<[string, string | undefined, Record<string, unknown>, string]>([
    ['no configuration', undefined, {}, 'zfs:preflight: no environment given. Known environments: local, prod, qa.'],
    ['an environment by flag', undefined, { environment: 'prod' }, 'zfs:preflight: no environment given.'],
    ['another environment by flag', 'local', { environment: 'prod' }, '--environment is not taken from the command line'],
    ['a step by flag', 'local', { step: 'configure' }, '--step is not taken from the command line'],
    ['a mistyped flag', 'local', { dryrun: true }, '--dryrun: unknown option; did you mean --dry-run?'],
    ['words that are no flags', 'local', { _: ['dry-run'] }, 'words without an option: unknown option'],
    ['a flag without its value', 'local', { release: true }, 'release: found true (boolean); expected a text'],
    ['a release that became a number', 'local', { release: 1.1e38 }, 'release: found 1.1e+38 (number); expected a text'],
    ['an environment that no project is part of', 'qa', {}, 'no project of this run is part of qa: redis (only local, prod)'],
    ['a time without a unit', 'local', { leaseWait: 90 }, 'expected a time with its unit: 90s, 5m, 1h'],
  ])('%s', async (_, configuration, flags, message) => {
    const graph = chain(configuration);
    expect(await first(graph, optionsOf(graph, flags))).toContain(message);
  });

  it('options that differ between the tasks', async () => {
    const graph = chain('local');
    const options = optionsOf(graph);
    options['redis:configure:local'] = { ...options['redis:configure:local'], timeout: '1m' } as never;
    expect(await first(graph, options)).toContain('have different options');
  });
});

describe('one step as a task of its own', () => {
  it('is a batch of one', async () => {
    const graph = chain('prod');
    const context = contextOf(graph, { projectName: 'redis', targetName: 'configure', configurationName: 'prod' });
    const asked: DataRequest[] = [];
    const perform: Perform = (request) => {
      asked.push(request);
      return succeeding(request);
    };
    const options = { step: 'configure', environment: 'prod', leaseWait: '90s', create: 'a, b', allowDirty: 'true' };
    expect(await runStep(as(perform), options, context)).toEqual({ success: true });
    expect(asked[0]).toMatchObject({
      environment: 'prod',
      projects: ['zfs', 'redis'],
      tasks: [{ id: 'redis:configure:prod', project: 'redis', step: 'configure', dependsOn: [] }],
      options: { leaseWait: 90_000, create: ['a', 'b'], allowDirty: true, dryRun: false },
    });
    expect(printed).toEqual(['redis:configure:prod: 0 changes']);
  });

  it('fails when the verb fails, throws or says nothing', async () => {
    const graph = chain('prod');
    const context = contextOf(graph, { projectName: 'redis', targetName: 'configure', configurationName: 'prod' });
    const options = { step: 'configure', environment: 'prod' };
    const failing: Perform[] = [
      async function* ({ tasks }) {
        for (const { id } of tasks) yield { id, success: false, output: 'no' };
      },
      // biome-ignore lint/correctness/useYield: it ends before it could
      async function* () {
        throw new InputError('thrown');
      },
      async function* () {},
    ];
    for (const perform of failing) expect(await runStep(as(perform), options, context)).toEqual({ success: false });
    expect(printed).toEqual(['no', 'thrown\n  more:    docs/errors.md#before-a-host-is-asked']);
  });
});
