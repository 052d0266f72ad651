import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { didYouMean } from '../engine/did-you-mean.ts';
import { InputError } from '../engine/errors.ts';
import type { Service } from '../engine/service.ts';
import { services } from '../services/index.ts';

/** A service file of the project's own, relative to its folder. */
export const OWN_SERVICE = /^\.\/(?!(?:.*\/)?\.\.\/)[\w./-]+\.m?[jt]s$/;

/**
 * Loads the service of a container: one of nx-mooring by its name, or the project's own file, whose types Node strips.
 *
 * @param root the workspace, absolute
 * @param projectRoot the container's folder, relative to it
 * @param service as container.json names it
 * @throws InputError when there is none, or the file exports none
 */
export async function loadService(root: string, projectRoot: string, service: string): Promise<Service<unknown>> {
  const file = `${projectRoot}/container.json`;
  if (!OWN_SERVICE.test(service)) {
    const known = services[service];
    if (known !== undefined) return await known();
    const meant = didYouMean(service, Object.keys(services));
    throw new InputError(
      `${file}: service: there is no service "${service}"; ${meant === undefined ? `known are ${Object.keys(services).join(', ')}` : `did you mean ${meant}?`}`,
      {
        next: 'or write one of your own: "service": "./service.ts"',
      },
    );
  }
  const path = join(projectRoot, service);
  if (!existsSync(join(root, path))) throw new InputError(`${file}: service: there is no file ${path}`);
  let module: Record<string, unknown>;
  try {
    module = await import(pathToFileURL(join(root, path)).href);
  } catch (error) {
    throw new InputError(`${path}: cannot be loaded: ${error instanceof Error ? error.message : error}`);
  }
  const found = [...new Set([module.default, ...Object.values(module)].filter(isService))];
  if (found.length === 1) return found[0] as Service<unknown>;
  throw new InputError(`${path}: exports ${found.length === 0 ? 'no service' : `${found.length} services`}; expected one`, {
    next: "export default defineService({ … }) with defineService of 'nx-mooring'",
  });
}

function isService(value: unknown): value is Service<unknown> {
  const candidate = value as Partial<Service<unknown>> | null;
  return (
    typeof candidate === 'object' &&
    candidate !== null &&
    typeof candidate.name === 'string' &&
    typeof candidate.unit === 'string' &&
    Array.isArray(candidate.stages) &&
    typeof candidate.settings?.safeParse === 'function' &&
    typeof candidate.health?.inside === 'function'
  );
}
