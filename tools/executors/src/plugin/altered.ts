import { isDeepStrictEqual } from 'node:util';
import type { ProjectConfiguration, TargetConfiguration } from '@nx/devkit';
import { InputError } from '../engine/errors.ts';
import { type Edge, meantBy, type Nodes } from './reachable.ts';

/*
 * Nx lays other files over what a plugin made of a project: `targetDefaults` of nx.json, project.json, the `nx` of package.json, other
 * plugins. With `cache: true` on `verify` a stopped service is healthy, from the cache; with it on `configure` nothing is deployed, and that
 * is a success.
 */

/** Which file and plugin each field of a project comes from, by root and by path of the field: nx's source-maps.json. */
export type SourceMaps = Readonly<Record<string, Readonly<Record<string, readonly [file: string | null, plugin: string]>>>>;

/** A field of a project of ours that is not as the plugin made it: of a target, or its name. */
export type Alteration = {
  readonly root: string;
  readonly what: string;
  readonly field: string;
  readonly path: string;
  /** The project whose name nx has lost, by its root: its project.json has none. */
  readonly nameless?: string;
};

/** What the plugin made of a file. */
type Made = Pick<ProjectConfiguration, 'name' | 'root' | 'targets'>;

/** What nobody runs by. */
const HARMLESS = ['metadata'];
/** What nx fills in where a target has nothing (nx `target-normalization.js`). */
const FILLED_IN: TargetConfiguration = { options: {}, configurations: {}, parallelism: true, continuous: false };

/**
 * Compares our projects with what nx made of them.
 *
 * @param tasks those that may run, as `project:target`; others are nobody's concern now
 * @param ours names of targets that ask or change a host: no such target may be put before another
 */
export function alterations(made: readonly Made[], nodes: Nodes, tasks: ReadonlySet<string>, ours: ReadonlySet<string>): Alteration[] {
  const roots = new Set(made.map(({ root }) => root));
  const asks = (edge: unknown, project: string) =>
    meantBy(edge as Edge, project, nodes).some(
      ([of, target]) => ours.has(target) && (of === undefined || roots.has(nodes[of]?.data.root ?? '')),
    );
  return made.flatMap(({ name: wanted, root, targets = {} }) => {
    const [name, node] = Object.entries(nodes).find(([, { data }]) => data.root === root) ?? [];
    const concerned = Object.keys(targets).filter((target) => tasks.has(`${name}:${target}`));
    if (name === undefined || node === undefined || concerned.length === 0) return [];
    const renamed = name === wanted ? [] : [{ root, what: name, field: 'name', path: 'name' }];
    const changed = concerned.flatMap((target) =>
      changedFields(targets[target] ?? {}, node.data.targets?.[target] ?? {}, (edge) => asks(edge, name)).map((field) => {
        const nameless = field === 'dependsOn' ? namelessIn(node.data.targets?.[target]?.dependsOn) : undefined;
        return { root, what: `${name}:${target}`, field, path: `targets.${target}.${field}`, ...(nameless !== undefined && { nameless }) };
      }),
    );
    return [...renamed, ...changed];
  });
}

/** @param asks whether an edge names a target that asks or changes a host */
function changedFields(made: TargetConfiguration, found: TargetConfiguration, asks: (edge: unknown) => boolean): string[] {
  const [before, after] = [
    { ...FILLED_IN, ...made },
    { ...FILLED_IN, ...found },
  ] as Record<string, unknown>[];
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return fields.filter((field) => !HARMLESS.includes(field) && !isAsMade(field, before?.[field], after?.[field], asks));
}

function isAsMade(field: string, made: unknown, found: unknown, asks: (edge: unknown) => boolean): boolean {
  switch (field) {
    // What is built or tested before is the workspace's own affair; a step of ours before `plan` would change a host.
    case 'dependsOn':
      return hasAll(found, made) && !added(found, made).some(asks);
    // More files make more projects affected. A pattern that takes files out makes less.
    case 'inputs':
      return hasAll(found, made) && added(found, made).every((input) => typeof input !== 'string' || !input.startsWith('!'));
    // An environment whose file git ignores is none to nx, and no configuration.
    case 'configurations':
      return Object.entries((found ?? {}) as object).every(([name, one]) =>
        isDeepStrictEqual(one, (made as Record<string, unknown>)[name]),
      );
    default:
      return isDeepStrictEqual(made, found);
  }
}

/**
 * Where another file adds to a project and does not repeat its name, nx leaves `{"value": "<root>"}` in the place of the name in every
 * edge that leads to it, and runs nothing there (23.2.1, `name-substitution-manager.js`).
 */
function namelessIn(dependsOn: unknown): string | undefined {
  const projects = list(dependsOn).flatMap((edge) => (edge as { projects?: unknown } | null)?.projects ?? []);
  return projects.map((project) => (project as { value?: unknown } | null)?.value).find((value) => typeof value === 'string');
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const hasAll = (found: unknown, made: unknown) => list(made).every((one) => list(found).some((other) => isDeepStrictEqual(one, other)));
const added = (found: unknown, made: unknown) => list(found).filter((one) => !list(made).some((other) => isDeepStrictEqual(one, other)));

/** Nx keeps a field's source by its path, or by those of its parts (nx `source-maps.js`). */
function sourceOf(sources: SourceMaps[string] = {}, path: string): string {
  const parts = Object.entries(sources).filter(([key]) => key === path || key.startsWith(`${path}.`));
  const whole = Object.entries(sources).filter(([key]) => path.startsWith(`${key}.`));
  const [, [file, plugin] = []] = [...parts, ...whole].find(([, [, by]]) => !by.startsWith('nx-mooring')) ?? [];
  const [, key] = /^nx\.json#(targetDefaults\..+)$/.exec(file ?? '') ?? [];
  if (key !== undefined) return `${key} in nx.json`;
  if (plugin === undefined) return 'another file';
  return plugin.startsWith('nx/') ? (file ?? plugin) : `the plugin ${plugin}`;
}

/** @param sources read only where there is something to tell @throws InputError naming every field that was changed, and by what */
export function refuseAltered(found: readonly Alteration[], sources: () => SourceMaps): void {
  if (found.length === 0) return;
  const all = sources();
  const told = found.map(({ root, what, field, path, nameless }) => ({
    what,
    field,
    by: nameless === undefined ? sourceOf(all[root], path) : `a file in ${nameless} that adds to the project without its "name"`,
  }));
  const nameless = found.find((one) => one.nameless !== undefined)?.nameless;
  const changes = Map.groupBy(told, ({ field, by }) => `${field} is changed by ${by}`);
  const lines = [...changes].map(([change, of]) => `${of.map(({ what }) => what).join(', ')}: ${change}`);
  throw new InputError(`nx would run modified nx-mooring targets: ${lines.join('; ')}`, {
    next: told.some(({ by }) => by.endsWith(' in nx.json'))
      ? 'limit that default to other projects: "<target>": [{"filter": {"projects": ["!tag:mooring"]}, …}]; or for the targets of one plugin: {"filter": {"plugin": "<plugin>"}, …}'
      : nameless !== undefined
        ? `write the project's "name" into ${nameless}/project.json`
        : 'take it out there: settings stand in container.json and app.json, options on the command line',
  });
}
