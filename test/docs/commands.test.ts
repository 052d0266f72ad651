import { dirname } from 'node:path';
import type { ProjectConfiguration, TargetConfiguration } from '@nx/devkit';
import { expect, it } from 'vitest';
import { appProject, containerProject, storageProject } from '../../tools/executors/src/plugin/targets.ts';
import { findFiles, readerOf } from '../../tools/executors/src/workspace/files.ts';
import { generators, type NxCommand, nxCommands, optionsOf } from './commands.ts';
import { ROOT } from './markdown.ts';

/** Options of nx itself, as its own help has them. */
const NX = new Set(
  `configuration c target targets t projects p exclude parallel graph base head files uncommitted untracked file view focus open
  batch outputStyle excludeTaskDependencies skipNxCache skipRemoteCache nxBail tui withTarget affected type sep json web
  dryRun interactive defaults quiet verbose help version onlyWorkspaceData`.split(/\s+/),
);
/** Commands of nx that run no task of ours. */
const COMMANDS = ['graph', 'show', 'reset', 'add', 'report', 'migrate', 'list', 'init', 'sync', 'daemon', 'format:check', 'format:write'];

const inferred = (name: string, root: string) => ({
  ...{ name, root, description: '', environments: [], environmentFolder: 'infra/environments', implicitDependencies: [] },
});
const files = findFiles(ROOT, 'infra');
const reader = readerOf(ROOT);
const name = (file: string) => (reader.fields(file).name as string | undefined) ?? (dirname(file).split('/').at(-1) as string);
const anyContainer = (of: string, service = '') =>
  containerProject({ ...inferred(of, of), service, storage: 'zfs', hasArtifacts: service === 'minio' });
const anyApp = appProject({ ...inferred('app', 'app'), kind: '', needs: [], storage: '' });
const storage = storageProject(inferred('zfs', 'infra/zfs'));
const projects = new Map<string, ProjectConfiguration>([
  ['zfs', storage],
  ...files.containers.map((file) => [name(file), anyContainer(name(file), name(file))] as const),
  ...files.apps.map((file) => [name(file), anyApp] as const),
  // A container of the reader's own, by the names that the documents give it.
  ...['cache', 'memcached', 'valkey', '<container>', '<name>'].map((one) => [one, anyContainer(one)] as const),
  ['<app>', anyApp],
]);
/** Targets of projects that are not the plugin's, and of the plugin's own project. */
const OTHERS = new Set(['build', 'lint', 'test', 'check']);

/** The executors behind a target, of one project or of all. */
function targetsNamed(target: string, of = [...projects.values()]): TargetConfiguration[] {
  return of.flatMap(({ targets }) => targets?.[target] ?? []);
}

const flagOf = (word: string) =>
  word
    .replace(/^--?/, '')
    .replace(/=.*$/s, '')
    .replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Values of `-t`, `--targets`, in any form that nx knows. */
function valuesOf(words: readonly string[], names: readonly string[]): string[] {
  return words.flatMap((word, i) => {
    if (!word.startsWith('-') || !names.includes(flagOf(word))) return [];
    if (word.includes('=')) return word.replace(/^[^=]*=/, '').split(',');
    const rest = words.slice(i + 1);
    const end = rest.findIndex((one) => one.startsWith('-'));
    return rest.slice(0, end < 0 ? undefined : end).flatMap((one) => one.split(','));
  });
}

function problemsOf({ words }: NxCommand): string[] {
  const [verb = '', first = '', ...rest] = words;
  // `nx affected` alone is the name of a command.
  if (first === '') return [];
  const flags = words.filter((word) => word.startsWith('-') && word !== '--').map(flagOf);
  const unknown = (known: ReadonlySet<string>) =>
    flags.filter((flag) => !known.has(flag) && !known.has(flag.replace(/^no([A-Z])/, (_, letter: string) => letter.toLowerCase())));
  if (verb === 'run') {
    const [project = '', target = ''] = first.split(':');
    const found = projects.get(project);
    if (target.startsWith('<') || project.includes('…')) return [];
    if (found === undefined) return [`there is no project ${project}`];
    return targetProblems([target], [found], unknown);
  }
  if (verb === 'run-many' || verb === 'affected') {
    const targets = valuesOf(words, ['t', 'target', 'targets']);
    return targets.length === 0 ? ['it names no target'] : targetProblems(targets, [...projects.values()], unknown);
  }
  if (verb === 'g' || verb === 'generate') {
    const [, generator = ''] = first.split(':');
    const known = generators();
    if (known === undefined || !first.startsWith('nx-mooring:') || generator.startsWith('<')) return [];
    const options = known.get(generator);
    if (options === undefined) return [`there is no generator ${generator}; there are ${[...known.keys()].join(', ')}`];
    return unknown(new Set([...options, ...NX])).map((flag) => `${generator} has no option ${flag}`);
  }
  if (COMMANDS.includes(verb)) return unknown(NX).map((flag) => `no option ${flag}`);
  if (verb.startsWith('<') || verb === '…') return [];
  // nx <target> <project>
  return targetsNamed(verb).length === 0 && !OTHERS.has(verb) ? [`nx ${[verb, first, ...rest].join(' ')}: nx has no such command`] : [];
}

function targetProblems(
  targets: readonly string[],
  of: ProjectConfiguration[],
  unknown: (known: ReadonlySet<string>) => string[],
): string[] {
  return targets.flatMap((target) => {
    if (target === '…' || target.startsWith('<') || OTHERS.has(target)) return [];
    const found = targetsNamed(target, of);
    if (found.length === 0) return [`there is no target ${target}`];
    const options = found.flatMap(({ executor = '' }) => [...optionsOf(`src/executors/${executor.split(':')[1]}/schema.json`)]);
    return unknown(new Set([...options, ...NX])).map((flag) => `${target} has no option ${flag}`);
  });
}

it('every command of nx in the documents names what exists', () => {
  expect(nxCommands.length).toBeGreaterThan(50);
  expect(
    nxCommands.flatMap((command) => problemsOf(command).map((problem) => `${command.at}: nx ${command.words.join(' ')}: ${problem}`)),
  ).toEqual([]);
});
