import { explainedBy } from '../engine/errors.ts';
import { knownHostsFile } from '../workspace/proxmox.ts';
import { RELEASE, resolveRelease } from '../workspace/release.ts';
import type { Invocation } from './run.ts';

/** The release of a run: `--release`, else MOORING_RELEASE, else HEAD; see `resolveRelease`. @throws InputError */
export async function currentRelease(
  { environment, workspace, world }: Pick<Invocation, 'environment' | 'workspace' | 'world'>,
  flag: string | undefined,
  allowDirty: boolean,
): Promise<string> {
  const written = environment.proxmox === undefined ? [] : [knownHostsFile(workspace.infra, environment)];
  const request = { flag, variable: world.env[RELEASE], environment: environment.name, allowDirty, written };
  return world.git
    .state()
    .then((git) => resolveRelease({ ...request, git }).sha)
    .catch(explainedBy('files'));
}
