import { artifactKey } from '../engine/artifact.ts';
import { explainedBy } from '../engine/errors.ts';
import type { ArtifactSpec } from '../engine/service.ts';
import type { StoredArtifact } from './apply.ts';
import { remember } from './remember.ts';
import type { World } from './world.ts';

/** Gives a binary that a project's service or application needs, by its name there. */
export type Binaries = (project: string, artifacts: Readonly<Record<string, ArtifactSpec>>, name: string) => Promise<StoredArtifact>;

/** The binaries of a run: each is obtained once, whoever needs it. */
export function binariesOf(run: { readonly world: World; readonly signal: AbortSignal; progress(line: string): void }): Binaries {
  const known = new Map<string, Promise<StoredArtifact>>();
  return async (project, artifacts, name) => {
    const spec = artifacts[name];
    if (spec === undefined) throw new Error(`${project} has no artifact ${name}`);
    const options = { progress: (line: string) => run.progress(`${project}: ${line}`), signal: run.signal };
    // Two of one service may want different ones.
    return remember(known, artifactKey(spec), () => run.world.artifacts.obtain(spec, options).catch(explainedBy('binaries')));
  };
}
