import type { ProjectConfiguration } from '@nx/devkit';
import type { Command } from './command-line.ts';

/** Projects of nx's graph by name. */
export type Nodes = Readonly<Record<string, { readonly data: Pick<ProjectConfiguration, 'root' | 'targets'> }>>;

/** What a name in a command or an edge means: a target of one project, or of all. */
export type Meant = readonly [project: string | undefined, target: string];

type Task = { readonly project: string; readonly target: string; readonly dependsOn: readonly Edge[] };

/**
 * The tasks that a command may run, as `project:target`: those that it names, and those before them. Where it takes a look at the whole
 * graph to know (patterns, tags, `^build`, `affected`), all projects are meant. Each meaning and each task is looked at once: a workspace
 * may have thousands of projects, all with the same edges.
 */
export function reachable(command: Command, nodes: Nodes): ReadonlySet<string> {
  const all = Object.entries(nodes).flatMap(([project, { data }]) =>
    Object.entries(data.targets ?? {}).map(([target, { dependsOn = [] }]): Task => ({ project, target, dependsOn })),
  );
  const byProject = Map.groupBy(all, ({ project }) => project);
  const byTarget = Map.groupBy(all, ({ target }) => target);
  const found = new Set<string>();
  // A map is walked to its end, also to what is added on the way; what is in it already is not added again.
  const wanted = new Map<string, Meant>();
  const want = (meant: Meant) => wanted.set(meant.join('\0'), meant);
  for (const target of command.targets) for (const project of named(command.projects, nodes)) want([project, target]);
  for (const [only, pattern] of wanted.values()) {
    const near = only === undefined ? all : (byProject.get(only) ?? []);
    const tasks = isPattern(pattern)
      ? near
      : only === undefined
        ? (byTarget.get(pattern) ?? [])
        : near.filter((one) => one.target === pattern);
    for (const { project, target, dependsOn } of tasks) {
      const task = `${project}:${target}`;
      if (found.has(task)) continue;
      found.add(task);
      for (const edge of dependsOn) for (const meant of meantBy(edge, project, nodes)) want(meant);
    }
  }
  return found;
}

/** A name of a project that is none exactly may be its last part, a folder, a tag or a pattern. */
function named(projects: readonly string[], nodes: Nodes): (string | undefined)[] {
  return projects.length > 0 && projects.every((project) => Object.hasOwn(nodes, project)) ? [...projects] : [undefined];
}

/** Whether a name in a command is that of a project, its last part, or its folder. */
export function isNamed(name: string, nodes: Nodes): boolean {
  return Object.entries(nodes).some(([project, { data }]) => project === name || project.endsWith(`/${name}`) || data.root === name);
}

/** An entry of `dependsOn`. */
export type Edge = string | { readonly target: string; readonly projects?: string | readonly string[]; readonly dependencies?: boolean };

/** What must run before a task of a project: `build`, `^build`, `app:build`, `{"target": "build"}`. */
export function meantBy(edge: Edge, project: string, nodes: Nodes): Meant[] {
  if (typeof edge !== 'string') {
    const projects = edge.projects === undefined ? (edge.dependencies ? [] : [project]) : [edge.projects].flat();
    return named(projects, nodes).map((one) => [one, edge.target]);
  }
  if (edge.startsWith('^')) return [[undefined, edge.slice(1)]];
  const colon = edge.indexOf(':');
  const [of, target] = [edge.slice(0, colon), edge.slice(colon + 1)];
  return colon > 0 && Object.hasOwn(nodes, of) ? [[of, target]] : [[project, edge]];
}

/** Nx takes globs for targets; which ones they meet it alone knows. */
function isPattern(target: string): boolean {
  return /[*?{[!]/.test(target);
}
