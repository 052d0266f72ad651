import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ended, REPOSITORY, run } from './workspace.ts';

const VERSION = 'v3.13.3';
/** Where the lab keeps what takes long to make. */
const CACHE = process.env.MOORING_LAB_CACHE ?? '/var/cache/mooring-lab';

/** The folder of a `sops` that is built with Go once; a minute, and two when nothing of it is in Go's own cache. */
export async function buildSops(): Promise<string> {
  const folder = join(CACHE, `sops-${VERSION}`);
  const isThere = await stat(join(folder, 'sops')).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return false;
    },
  );
  if (isThere) return folder;
  const go = (await run(join(REPOSITORY, 'test/lab/lab.sh'), ['go', '--print'])).trim();
  if (go === '') throw new Error('sops is built with Go of 1.21 or newer, and there is none: test/lab/lab.sh go');
  // Ended in the middle, it leaves no half a program.
  const part = `${folder}.${process.pid}`;
  await mkdir(part, { recursive: true });
  const env = { ...process.env, GOBIN: part, PATH: `${go}${delimiter}${process.env.PATH}` };
  const { code, output } = await ended(join(go, 'go'), ['install', `github.com/getsops/sops/v3/cmd/sops@${VERSION}`], part, env);
  if (code !== 0) throw new Error(`go install of sops ${VERSION}: exit code ${code}: ${output}`);
  await rm(folder, { recursive: true, force: true });
  await rename(part, folder);
  return folder;
}
