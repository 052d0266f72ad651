import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import { InputError } from '../../engine/errors.ts';
import { environmentSchema, environmentSchemaOf } from '../../workspace/environment.ts';
import { infraOf, type Reader } from '../../workspace/files.ts';

/** A project of the run that is not part of its environment. */
type Apart = { readonly name: string; readonly because: string };

/**
 * Refuses a run of which no project is part of its environment. One that is not part succeeds, having nothing to do;
 * a whole run of such is a wrong environment.
 *
 * @throws InputError
 */
export function refuseIfNoPart(context: ExecutorContext, environment: string, files: Reader): void {
  const run = new Set(Object.values(context.taskGraph?.tasks ?? {}).map(({ target }) => target.project));
  const ours = Object.entries(context.projectsConfigurations.projects).filter(
    ([name, { tags }]) => run.has(name) && tags?.includes('mooring'),
  );
  if (ours.length === 0) return;
  const apart: Apart[] = [];
  const containers = takesContainers(context, environment, files);
  for (const [name, { root, tags = [] }] of ours) {
    const because = whyNot(files, { root, tags }, environment, containers);
    if (because !== undefined) apart.push({ name, because });
    // The storage project is part of every environment that has containers; that alone says nothing about them.
    else if (!tags.includes('mooring:storage') || ours.length === 1) return;
  }
  if (apart.length === 0) return;
  throw new InputError(
    `no project of this run is part of ${environment}: ${apart.map(({ name, because }) => `${name} (${because})`).join(', ')}`,
    { next: 'another --configuration, or "environments" in container.json or app.json' },
  );
}

function whyNot(
  files: Reader,
  { root, tags }: { root: string; tags: readonly string[] },
  environment: string,
  containers: boolean,
): string | undefined {
  if (tags.includes('mooring:app')) {
    const { environments = {} } = files.fields(`${root}/app.json`) as { environments?: Record<string, unknown> };
    return Object.hasOwn(environments, environment) ? undefined : `only ${Object.keys(environments).join(', ')}`;
  }
  if (!containers) return `${environment} is of applications only`;
  if (tags.includes('mooring:storage')) return undefined;
  const { environments } = files.fields(`${root}/container.json`);
  return !Array.isArray(environments) || environments.includes(environment) ? undefined : `only ${environments.join(', ')}`;
}

/** An environment that is not there is told of by the verb, with all else that is wrong in the files; so is a container's file. */
function takesContainers(context: ExecutorContext, environment: string, files: Reader): boolean {
  const file = `${infraOf(context.nxJsonConfiguration)}/environments/${environment}.json`;
  if (!existsSync(join(context.root, file))) return true;
  return environmentSchemaOf(files.settings(file)) === environmentSchema;
}
