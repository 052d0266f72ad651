import type { ExecutorContext } from '@nx/devkit';
import { InputError } from '../../engine/errors.ts';
import { readJson } from '../../workspace/files.ts';

/**
 * Refuses a run of which no container is part of its environment. One that is not part succeeds, having nothing to do;
 * a whole run of such is a wrong environment. The storage project alone is part of every environment.
 *
 * @throws InputError
 */
export function refuseIfNoPart(context: ExecutorContext, environment: string): void {
  const run = new Set(Object.values(context.taskGraph?.tasks ?? {}).map(({ target }) => target.project));
  const containers = Object.entries(context.projectsConfigurations.projects).filter(
    ([name, { tags }]) => run.has(name) && tags?.includes('mooring:container'),
  );
  const limits = containers.map(([name, { root }]) => ({
    name,
    only: (readJson(context.root, `${root}/container.json`) as { environments?: string[] }).environments,
  }));
  if (limits.length === 0 || limits.some(({ only }) => only === undefined || only.includes(environment))) return;
  const list = limits.map(({ name, only }) => `${name} (only ${only?.join(', ')})`).join(', ');
  throw new InputError(`no project of this run is part of ${environment}: ${list}`, {
    next: 'another --configuration, or "environments" in container.json',
  });
}
