import { explainedBy } from '../engine/errors.ts';
import { infraFolder } from '../workspace/files.ts';
import { readGit } from '../workspace/git.ts';
import { knownHostsFile } from '../workspace/proxmox.ts';
import { RELEASE, resolveRelease } from '../workspace/release.ts';
import type { Run } from './run.ts';

/** The release of a run: `--release`, else MOORING_RELEASE, else HEAD; see `resolveRelease`. @throws InputError */
export async function currentRelease(
  { root, environment }: Pick<Run, 'root' | 'environment'>,
  flag: string | undefined,
  allowDirty: boolean,
): Promise<string> {
  const written = environment.proxmox === undefined ? [] : [knownHostsFile(infraFolder(root), environment)];
  const request = { flag, variable: process.env[RELEASE], environment: environment.name, allowDirty, written };
  return readGit(root)
    .then((git) => resolveRelease({ ...request, git }).sha)
    .catch(explainedBy('files'));
}
