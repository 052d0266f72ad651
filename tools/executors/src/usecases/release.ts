import { infraFolder } from '../workspace/files.ts';
import { readGit } from '../workspace/git.ts';
import { knownHostsFile } from '../workspace/proxmox.ts';
import { RELEASE, resolveRelease } from '../workspace/release.ts';
import type { Run } from './run.ts';

/** The release of a run: `--release`, else MOORING_RELEASE, else HEAD; see `resolveRelease`. @throws InputError */
export async function currentRelease(
  run: Pick<Run, 'root' | 'environment'>,
  flag: string | undefined,
  allowDirty: boolean,
): Promise<string> {
  const git = await readGit(run.root);
  const { environment } = run;
  const written = environment.proxmox === undefined ? [] : [knownHostsFile(infraFolder(run.root), environment)];
  return resolveRelease({ flag, variable: process.env[RELEASE], environment: environment.name, allowDirty, written, git }).sha;
}
