import type { Nodes } from './altered.ts';
import type { Command } from './command-line.ts';

/**
 * The tasks that a command may run, as `project:target`: those that it names, and those before them. Where it takes a look at the whole
 * graph to know (patterns, tags, `^build`, `affected`), all projects are meant.
 */
export function reachable(command: Command, nodes: Nodes): ReadonlySet<string> {
  const found = new Set<string>();
  const open: [project: string | undefined, target: string][] = command.targets.flatMap((target) =>
    named(command.projects, nodes).map((project): [string | undefined, string] => [project, target]),
  );
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [only, pattern] = next;
    for (const project of only === undefined ? Object.keys(nodes) : [only]) {
      for (const [target, { dependsOn = [] }] of Object.entries(nodes[project]?.data.targets ?? {})) {
        const task = `${project}:${target}`;
        if ((target !== pattern && !isPattern(pattern)) || found.has(task)) continue;
        found.add(task);
        open.push(...dependsOn.flatMap((edge) => before(edge, project, nodes)));
      }
    }
  }
  return found;
}

/** A name of a project that is none exactly may be its last part, a folder, a tag or a pattern. */
function named(projects: readonly string[], nodes: Nodes): (string | undefined)[] {
  return projects.length > 0 && projects.every((project) => project in nodes) ? [...projects] : [undefined];
}

type Edge = string | { readonly target: string; readonly projects?: string | readonly string[]; readonly dependencies?: boolean };

function before(edge: Edge, project: string, nodes: Nodes): [string | undefined, string][] {
  if (typeof edge !== 'string') {
    const projects = edge.projects === undefined ? (edge.dependencies ? [] : [project]) : [edge.projects].flat();
    return named(projects, nodes).map((one) => [one, edge.target]);
  }
  if (edge.startsWith('^')) return [[undefined, edge.slice(1)]];
  const colon = edge.indexOf(':');
  const [of, target] = [edge.slice(0, colon), edge.slice(colon + 1)];
  return colon > 0 && of in nodes ? [[of, target]] : [[project, edge]];
}

/** Nx takes globs for targets; which ones they meet it alone knows. */
function isPattern(target: string): boolean {
  return /[*?{[!]/.test(target);
}
