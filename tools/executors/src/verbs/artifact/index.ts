import { relative } from 'node:path';
import { artifactKey } from '../../engine/artifact.ts';
import { explainedBy } from '../../engine/errors.ts';
import { redactor } from '../../engine/redactor.ts';
import type { Answer } from '../../shared/request.ts';
import { containersOf } from '../../workspace/load.ts';
import type { ArtifactRequest } from './options.ts';

/** A binary in the workspace's store. */
export type ObtainedArtifact = { readonly version: string; readonly path: string; readonly sha256: string };

/** Obtains the binaries of a container's service, for every environment, into the workspace's store. Asks no host. */
export async function artifact({ root, projects, world, signal, print }: ArtifactRequest): Promise<Answer<readonly ObtainedArtifact[]>> {
  const workspace = await world.files.load();
  const targets = [...workspace.environments.keys()]
    .flatMap((name) => containersOf(workspace, name))
    .filter(({ project }) => projects.includes(project));
  const specs = targets.flatMap(({ service, settings }) => Object.values(service.artifacts?.(service.settings.parse(settings)) ?? {}));
  const data: ObtainedArtifact[] = [];
  for (const spec of new Map(specs.map((one) => [artifactKey(one), one])).values()) {
    const { version, path, sha256 } = await world.artifacts.obtain(spec, { progress: print, signal }).catch(explainedBy('binaries'));
    data.push({ version, path: relative(root, path), sha256 });
  }
  return { success: true, data, clean: redactor([]) };
}
