import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { PostTasksExecutionContext, PreTasksExecutionContext, ProjectConfiguration } from '@nx/devkit';
import { InputError, showError } from '../engine/errors.ts';
import { once } from '../engine/once.ts';
import { ownRunId, RUN_ID, runMarker } from '../engine/run-id.ts';
import { APP_STEPS, STEPS } from '../engine/steps.ts';
import {
  DEFAULT_INFRA,
  environmentName,
  findFiles,
  type PluginOptions,
  projectName,
  type Reader,
  readerOf,
  type WorkspaceFiles,
} from '../workspace/files.ts';
import { machine } from '../world/machine.ts';
import { alterations, refuseAltered, type SourceMaps } from './altered.ts';
import { type Command, parseCommandLine } from './command-line.ts';
import { guard } from './guard.ts';
import { isNamed, type Nodes, reachable } from './reachable.ts';
import { hostTargets } from './targets.ts';

/** Run ids by nx's id of the command. Under the daemon this process serves one command after the other, and sees its own past ids in its environment. */
const runs = new Map<string, string>();

/**
 * Before any task of a command runs, in the process of the plugin: nx gives a thrown error exit code 1 and runs nothing.
 * What it sets in `process.env` reaches the tasks (nx `loaded-nx-plugin.js`).
 */
export async function beforeTasks(options: PluginOptions | undefined, context: PreTasksExecutionContext): Promise<void> {
  try {
    const command = parseCommandLine(context.argv.slice(2));
    if (command !== undefined) {
      const files = findFiles(context.workspaceRoot, options?.infra ?? DEFAULT_INFRA);
      const graph = once(() => graphNodes(context.workspaceRoot));
      const reader = readerOf(context.workspaceRoot);
      guard(command, known(reader, files, graph));
      await refuseIfAltered(command, graph(), files, options, { context, reader });
    }
  } catch (error) {
    throw plain(error);
  }
  if (givenRunId() !== undefined) return;
  const runId = ownRunId(machine);
  runs.set(context.id, runId);
  process.env[RUN_ID] = runId;
}

/**
 * After the last task: lets go early of what the run holds on its hosts (a run that holds nothing left no marker, and
 * costs nothing here), and makes a failed run exit with 1. Without that nx exits with 130, as if it had been
 * interrupted, when a failed task has others after it (nx `run-command.js`, `didCommandComplete`: skipped tasks have no result).
 */
export async function afterTasks(options: PluginOptions | undefined, context: PostTasksExecutionContext): Promise<void> {
  // A run that is part of another (its id was given) is ended by that one.
  const runId = runs.get(context.id);
  const steps = Object.values(context.taskResults).filter(({ task }) =>
    [...STEPS, ...APP_STEPS].some((step) => step === task.target.target),
  );
  // Many a project has a target `deploy`.
  const files = steps.length === 0 ? [] : projectFiles(findFiles(context.workspaceRoot, options?.infra ?? DEFAULT_INFRA));
  const results = steps.filter(({ task }) => files.some((file) => dirname(file) === task.projectRoot));
  if (runId !== undefined && existsSync(runMarker(context.workspaceRoot, runId))) {
    const [{ finishRun }, { worldOf }] = await Promise.all([import('../verbs/deploy/finish-run.ts'), import('../world/index.ts')]);
    const success = results.every(({ status }) => status === 'success');
    await finishRun({ root: context.workspaceRoot, runId, success, world: worldOf(context.workspaceRoot) });
  }
  const failed = results.filter(({ status }) => status === 'failure').map(({ task }) => task.id);
  if (failed.length === 0 || results.some(({ status }) => (status as string) === 'stopped')) return;
  throw plain(
    new InputError(`failed: ${failed.join(', ')}`, {
      page: 'all',
      next: 'the same command again, once the cause above is gone: it looks first, and does only what is missing then',
    }),
  );
}

/** The run id of a run that this one is part of (nx started by a task), or that a CI sets; not one that this process handed out before. */
function givenRunId(): string | undefined {
  const given = process.env[RUN_ID];
  return given === undefined || [...runs.values()].includes(given) ? undefined : given;
}

/** The files that make a project each. */
function projectFiles({ containers, apps, storages }: WorkspaceFiles): string[] {
  return [...containers, ...apps, ...storages];
}

function known(reader: Reader, files: WorkspaceFiles, graph: () => Nodes | undefined) {
  const nameOf = (file: string) => projectName(file, reader.fields(file));
  return {
    environments: files.environments.map(environmentName),
    projects: () => projectFiles(files).map(nameOf),
    unreadable: () => unreadableIn(reader, projectFiles(files)),
    isProject: (name: string) => isNamed(name, graph() ?? {}),
    hostTargets: hostTargets({ apps: files.apps.length > 0 }),
    allTargets: () => targetsIn(graph()),
    keepsGraph: process.env.NX_CACHE_PROJECT_GRAPH !== 'false',
  };
}

/** Why a file cannot be read that may name a project; nothing where all can. */
function unreadableIn(reader: Reader, files: readonly string[]): unknown {
  for (const file of files) {
    try {
      reader.settings(file);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}

/** Refuses a command that would run something else than the plugin made of our files. @throws InputError */
async function refuseIfAltered(
  command: Command,
  nodes: Nodes | undefined,
  files: WorkspaceFiles,
  options: PluginOptions | undefined,
  { context, reader }: { readonly context: PreTasksExecutionContext; readonly reader: Reader },
): Promise<void> {
  const { workspaceRoot } = context;
  if (nodes === undefined) return;
  const ours = projectFiles(files);
  const roots = new Set(ours.map((file) => dirname(file)));
  const tasks = reachable(command, nodes);
  const isConcerned = Object.entries(nodes).some(
    ([name, { data }]) => roots.has(data.root) && Object.keys(data.targets ?? {}).some((target) => tasks.has(`${name}:${target}`)),
  );
  if (!isConcerned) return;
  const { inferProjects } = await import('./infer.ts');
  const results = await inferProjects([...files.environments, ...ours], options, context, reader);
  const made = results.flatMap(([, { projects = {} }]) => Object.values(projects) as ProjectConfiguration[]);
  const found = alterations(made, nodes, tasks, hostTargets({ apps: true }));
  refuseAltered(found, () => (readData(workspaceRoot, 'source-maps.json') as SourceMaps | undefined) ?? {});
}

/** Target names of all projects; nothing where nx wrote no graph. */
function targetsIn(nodes: Nodes | undefined): ReadonlySet<string> | undefined {
  return nodes && new Set(Object.values(nodes).flatMap(({ data }) => Object.keys(data.targets ?? {})));
}

/** The projects of the graph that nx has just written, in this process or in the daemon; nothing where it could not write it. */
function graphNodes(root: string): Nodes | undefined {
  return (readData(root, 'project-graph.json') as { nodes: Nodes } | undefined)?.nodes;
}

/** A file that nx keeps of the workspace (nx `cache-directory.js`); nothing when it is not there. */
function readData(root: string, name: string): unknown {
  const { NX_WORKSPACE_DATA_DIRECTORY, NX_PROJECT_GRAPH_CACHE_DIRECTORY } = process.env;
  const folder = NX_WORKSPACE_DATA_DIRECTORY ?? NX_PROJECT_GRAPH_CACHE_DIRECTORY ?? join('.nx', 'workspace-data');
  const file = join(resolve(root, folder), name);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** Nx prints an error of a plugin with its stack; for what the user has to read there is none. */
function plain(error: unknown): Error {
  const shown = new Error(showError(error));
  shown.stack = shown.message;
  return shown;
}
