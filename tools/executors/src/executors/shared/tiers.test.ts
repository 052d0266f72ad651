import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutorContext, Task, TaskGraph } from '@nx/devkit';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { InputError, NotPartError } from '../../engine/errors.ts';
import { CleanText, redactor } from '../../engine/redactor.ts';
import { appProject, storageProject } from '../../plugin/targets.ts';
import type { Report } from '../../report/report.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { schema } from '../../verbs/plan/options.ts';
import { runVerbBatch } from './verb.ts';

const inferred = { description: 'x', environments: ['local'], environmentFolder: 'e', implicitDependencies: [] };
const projects = {
  zfs: storageProject({ ...inferred, name: 'zfs', root: 'zfs' }),
  pote: appProject({ ...inferred, name: 'pote', root: 'pote', kind: 'python', needs: [], storage: '' }),
};
const ids = { zfs: 'zfs:status:local', pote: 'pote:plan:local' };
const tasks = Object.fromEntries(
  Object.entries(ids).map(([project, id]) => [
    id,
    { id, target: { project, target: id.split(':')[1], configuration: 'local' }, overrides: {}, outputs: [] } as unknown as Task,
  ]),
);
const graph: TaskGraph = { roots: [], tasks, dependencies: {}, continuousDependencies: {} };
const context = { root: '/w', projectsConfigurations: { version: 2, projects }, nxJsonConfiguration: {} } as unknown as ExecutorContext;

type Verb = (request: Pick<VerbRequest<object>, 'projects'>) => Promise<Answer<string>>;
/** How an answer that is a text is shown: as it is, in any form. */
const report: Report<string, object> = { text: (text) => text, json: (text) => new CleanText(text) };
const clean = redactor([]);
const run = (data: Verb, app: Verb, flags: Record<string, unknown> = {}) =>
  runVerbBatch(
    { options: async () => ({ schema }), data: async () => ({ verb: data, report }), app: async () => ({ verb: app, report }) },
    graph,
    Object.fromEntries(Object.values(ids).map((id) => [id, { environment: 'local', ...flags }])),
    context,
  );

/** What went to stdout, and to stderr. */
let printed: string[];
let errors: string[];
beforeEach(() => {
  printed = [];
  errors = [];
  vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line) => void errors.push(line));
});
afterEach(() => vi.restoreAllMocks());

const says =
  (output: string): Verb =>
  async () => ({ success: true, data: output, clean });
const throws =
  (error: Error): Verb =>
  () =>
    Promise.reject(error);

it('gives each tier its own projects, and prints their answers one below the other', async () => {
  const asked: (readonly string[])[] = [];
  const answer =
    (output: string): Verb =>
    async ({ projects: names }) => {
      asked.push(names);
      return { success: true, data: output, clean };
    };
  const results = await run(answer('the containers'), answer('the applications'));
  expect(asked).toEqual([['zfs'], ['pote']]);
  expect(printed).toEqual(['the containers\n\nthe applications']);
  expect(Object.values(results).map(({ success }) => success)).toEqual([true, true]);
});

it('fails the tasks of the tier that failed, and shows the other', async () => {
  const results = await run(throws(new InputError('no host')), says('the applications'));
  expect(printed).toEqual(['no host\n  more:    docs/errors.md#before-a-host-is-asked\n\nthe applications']);
  expect(results).toMatchObject({ [ids.zfs]: { success: false }, [ids.pote]: { success: true } });
});

it('says once what is wrong with a file that both read', async () => {
  await run(throws(new InputError('local.json: wrong')), throws(new InputError('local.json: wrong')));
  expect(printed).toEqual([expect.stringMatching(/^local\.json: wrong\n {2}more: [^\n]+$/)]);
});

it('is no failure where one of them is not part of the environment, and that is no JSON', async () => {
  const results = await run(throws(new NotPartError('no container is part of local')), says('{}'), { json: true });
  expect(printed).toEqual(['{}']);
  expect(Object.values(results).map(({ success }) => success)).toEqual([true, true]);
  await run(throws(new NotPartError('no container is part of local')), says('text'));
  expect(printed.at(-1)).toBe('no container is part of local\n\ntext');
});

it('prints nothing but JSON on stdout where that is asked for: why a tier gives no answer goes to stderr', async () => {
  const results = await run(throws(new InputError('no host')), says('{}'), { json: true });
  expect(printed).toEqual(['{}']);
  expect(errors).toEqual([expect.stringContaining('no host')]);
  expect(results).toMatchObject({ [ids.zfs]: { success: false }, [ids.pote]: { success: true } });
  await run(throws(new NotPartError('none')), throws(new NotPartError('nor one of these')), { json: true });
  expect(printed).toEqual(['{}']);
  expect(errors.slice(1)).toEqual(['none', 'nor one of these']);
});

it('does not write two answers into one file', async () => {
  const results = await run(says('a'), says('b'), { out: '/tmp/plan.json' });
  expect(errors[0]).toContain('--out is one file');
  expect(Object.values(results).map(({ success }) => success)).toEqual([false, false]);
});

it('writes both answers into one file, as they are printed, where that is asked for', async () => {
  const root = await mkdtemp(join(tmpdir(), 'mooring-tiers-'));
  const load = {
    options: async () => ({ schema, answerFile: ({ out }: { out?: string | undefined }) => out }),
    data: async () => ({ verb: says('# the containers'), report }),
    app: async () => ({ verb: says('# the applications'), report }),
  };
  const options = Object.fromEntries(Object.values(ids).map((id) => [id, { environment: 'local', out: 'plan.md' }]));
  expect(Object.values(await runVerbBatch(load, graph, options, { ...context, root })).map(({ success }) => success)).toEqual([true, true]);
  expect(await readFile(join(root, 'plan.md'), 'utf8')).toBe('# the containers\n\n# the applications');
  expect(printed).toEqual(['# the containers\n\n# the applications']);
  await rm(root, { recursive: true });
});
