import type { ExecutorContext, Task, TaskGraph } from '@nx/devkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InputError } from '../../engine/errors.ts';
import { CleanText, redactor } from '../../engine/redactor.ts';
import { storageProject } from '../../plugin/targets.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { type PlanOptions, schema } from '../../verbs/plan/options.ts';
import { runVerb, runVerbBatch } from './verb.ts';

type Verb = (request: VerbRequest<PlanOptions>) => Promise<Omit<Answer<string>, 'clean'>>;
/** The verb `plan`, done in another way; its answer is a text, shown as it is. */
const as = (verb: Verb) => ({
  options: async () => ({ schema }),
  data: async () => ({
    verb: async (request: VerbRequest<PlanOptions>) => ({ ...(await verb(request)), clean: redactor([]) }),
    report: { text: (text: string) => text, json: (text: string) => new CleanText(text) },
  }),
});

const projects = Object.fromEntries(
  ['a', 'b'].map((name) => [
    name,
    storageProject({ name, root: name, description: 'x', environments: ['local'], environmentFolder: 'e', implicitDependencies: [] }),
  ]),
);
const tasks = Object.fromEntries(
  ['a', 'b'].map((project) => [
    `${project}:status:local`,
    {
      id: `${project}:status:local`,
      target: { project, target: 'status', configuration: 'local' },
      overrides: {},
      outputs: [],
      parallelism: true,
    } as unknown as Task,
  ]),
);
const graph: TaskGraph = { roots: [], tasks, dependencies: {}, continuousDependencies: {} };
const context: ExecutorContext = {
  root: '/w',
  cwd: '/w',
  isVerbose: false,
  projectsConfigurations: { version: 2, projects },
  nxJsonConfiguration: {},
  projectGraph: { nodes: {}, dependencies: {} },
  taskGraph: graph,
};
const optionsFor = (flags: Record<string, unknown>) => ({
  'a:status:local': { environment: 'local', ...flags },
  'b:status:local': { environment: 'local', ...flags },
});

let printed: string[];
beforeEach(() => {
  printed = [];
  vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(`out: ${line}`));
  vi.spyOn(console, 'error').mockImplementation((line) => void printed.push(`err: ${line}`));
});
afterEach(() => vi.restoreAllMocks());

describe('a verb for all projects of a run', () => {
  it('asks once, prints once, and gives every task its result', async () => {
    const asked: VerbRequest<unknown>[] = [];
    const load = as(async (request) => {
      asked.push(request);
      request.print('looking');
      return { success: false, data: 'b: 1 change', failed: ['b'] };
    });
    expect(await runVerbBatch(load, graph, optionsFor({ failOnChanges: 'true', out: '/tmp/plan.json' }), context)).toEqual({
      'a:status:local': { success: true, terminalOutput: '' },
      'b:status:local': { success: false, terminalOutput: '' },
    });
    expect(asked).toMatchObject([
      {
        root: '/w',
        environment: 'local',
        projects: ['a', 'b'],
        options: { failOnChanges: true, out: '/tmp/plan.json', markdown: false, json: false },
      },
    ]);
    expect(asked[0]?.options).not.toHaveProperty('environment');
    expect(printed).toEqual(['err: looking', 'out: b: 1 change']);
  });

  it.each([
    ['a verb that throws', async () => Promise.reject(new InputError('no host')), {}, 'err: no host'],
    [
      'an unknown flag',
      async () => expect.fail('asked'),
      { failOnChange: true },
      'err: a:status options: --fail-on-change: unknown option; did you mean --fail-on-changes?',
    ],
    [
      'a file that cannot be written',
      async () => expect.fail('asked'),
      { out: 'no/such/plan.json' },
      "err: cannot write --out=no/such/plan.json: there is no folder /w/no/such\n  next:    mkdir -p '/w/no/such'",
    ],
  ])('fails all of them: %s', async (_, verb, flags, message) => {
    const results = await runVerbBatch(as(verb as never), graph, optionsFor(flags), context);
    expect(Object.values(results).map(({ success }) => success)).toEqual([false, false]);
    expect(printed).toEqual([`${message}\n  more:    docs/errors.md#before-a-host-is-asked`]);
  });
});

it('a verb for one project is told apart by its exit code', async () => {
  const one = { ...context, projectName: 'a', targetName: 'status', configurationName: 'local' };
  expect(
    await runVerb(
      as(async ({ projects: names }) => ({ success: true, data: names.join() })),
      { environment: 'local' },
      one,
    ),
  ).toEqual({ success: true });
  expect(
    await runVerb(
      as(async () => ({ success: false, data: 'no' })),
      { environment: 'local' },
      one,
    ),
  ).toEqual({
    success: false,
  });
  expect(
    await runVerb(
      as(async () => ({ success: true, data: '' })),
      {},
      { ...one, configurationName: undefined } as never,
    ),
  ).toEqual({ success: false });
  expect(printed).toEqual(['out: a', 'out: no', expect.stringContaining('err: a:status: no environment given')]);
});
