import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ExecutorContext, Task, TaskGraph } from '@nx/devkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HostError, InputError, MooringError } from '../../engine/errors.ts';
import { redactor } from '../../engine/redactor.ts';
import { Secret } from '../../engine/secret.ts';
import { storageProject } from '../../plugin/targets.ts';
import type { Report } from '../../report/report.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { type PlanOptions, schema } from '../../verbs/plan/options.ts';
import { runVerb, runVerbBatch } from './verb.ts';

type Verb = (request: VerbRequest<PlanOptions, string>) => Promise<Omit<Answer<string>, 'clean'>>;
const clean = redactor([new Secret('hunter2-hunter2')]);
const report: Report<string, PlanOptions, string> = {
  text: (text) => text,
  json: (text, redact) => redact.json({ text }),
  preview: (text) => text,
  mode: 0o600,
};
/** The verb `plan`, done in another way; its answer is a text. */
const as = (verb: Verb) => ({
  options: async () => ({ schema }),
  data: async () => ({ verb: async (request: VerbRequest<PlanOptions, string>) => ({ ...(await verb(request)), clean }), report }),
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
    expect(await runVerbBatch(load, graph, optionsFor({ failOnChanges: 'true' }), context)).toEqual({
      'a:status:local': { success: true, terminalOutput: '' },
      'b:status:local': { success: false, terminalOutput: '' },
    });
    expect(asked).toMatchObject([
      {
        root: '/w',
        environment: 'local',
        projects: ['a', 'b'],
        options: { failOnChanges: true, markdown: false, json: false },
      },
    ]);
    expect(asked[0]?.options).not.toHaveProperty('environment');
    expect(printed).toEqual(['err: looking', 'out: b: 1 change']);
  });

  it.each([
    ['relative to the workspace', (root: string) => ({ root, out: 'plan.json' })],
    ['absolute', (root: string) => ({ root: '/w', out: join(root, 'plan.json') })],
  ])('writes JSON into the file of --out, for its owner alone and without secrets: %s', async (_, place) => {
    const folder = mkdtempSync(join(tmpdir(), 'mooring-verb-'));
    const { root, out } = place(folder);
    const load = as(async ({ options }) => ({ success: true, data: `${options.out === join(folder, 'plan.json')}: hunter2-hunter2` }));
    await runVerbBatch(load, graph, optionsFor({ out }), { ...context, root });
    expect(readFileSync(join(folder, 'plan.json'), 'utf8')).toBe('{"text":"true: (secret)"}\n');
    expect(statSync(join(folder, 'plan.json')).mode & 0o777).toBe(0o600);
    expect(printed).toEqual(['out: true: (secret)']);
    rmSync(folder, { recursive: true });
  });

  const absent = new Map<string, MooringError>([
    ['one', new HostError('one: hunter2-hunter2 was refused')],
    ['redis', new InputError('port: too large')],
    ['two', new MooringError('it said nothing')],
  ]);
  const reasons = [
    'one: unreachable\n  one: (secret) was refused',
    'redis: not valid\n  port: too large',
    'two: unknown\n  it said nothing',
  ];
  it.each([
    ['below a text', {}, [`out: ${['the rest', ...reasons].join('\n\n')}`]],
    ['beside JSON', { json: true }, [...reasons.map((reason) => `err: ${reason}`), 'out: {"text":"the rest"}']],
  ])('fails all of them where something could not be asked, and says it %s', async (_, flags, expected) => {
    const results = await runVerbBatch(
      as(async () => ({ success: true, data: 'the rest', absent })),
      graph,
      optionsFor(flags),
      context,
    );
    expect(Object.values(results).map(({ success }) => success)).toEqual([false, false]);
    expect(printed.map((line) => line.replaceAll(/\n +more: .*/g, ''))).toEqual(expected);
  });

  it('shows what a person is asked about on stderr, without secrets, and asks there', async () => {
    const load = as(async ({ preview, ask }) => {
      preview('this destroys hunter2-hunter2', clean);
      return { success: true, data: (await ask?.('Go on? ')) ?? 'nobody was asked' };
    });
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(terminal as never);
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => printed.push(`err: ${text}`) > 0);
    terminal.write(' yes \n');
    await runVerbBatch(load, graph, optionsFor({}), context);
    terminal.isTTY = false;
    await runVerbBatch(load, graph, optionsFor({}), context);
    expect(printed).toEqual([
      ...['err: this destroys (secret)', 'err: Go on? ', 'out: yes'],
      ...['err: this destroys (secret)', 'out: nobody was asked'],
    ]);
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

describe('progress beside --json', () => {
  const told: Verb = async ({ print }) => {
    print('working');
    return { data: '{}', success: true };
  };

  it('is not printed by a task of its own process, of which Nx puts all into stdout', async () => {
    const { taskGraph: _, ...alone } = { ...context, projectName: 'a', targetName: 'status', configurationName: 'local' };
    await runVerb(as(told), { environment: 'local', json: true }, alone as ExecutorContext);
    expect(printed).toEqual(['out: {"text":"{}"}']);
  });

  it('goes to stderr in a batch, and without --json', async () => {
    await runVerbBatch(as(told), graph, optionsFor({ json: true }), context);
    expect(printed).toEqual(['err: working', 'out: {"text":"{}"}']);
  });
});
