import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../engine/errors.ts';
import { PAGES } from '../engine/pages.ts';
import { hashSources } from './source-hash.ts';

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The build this process has loaded. The daemon keeps the plugin loaded for days, while dist may be replaced. */
const loaded = recordedHash(packageRoot);

/**
 * Refuses to work with a build that is older than its sources. Where the sources are not beside the build (a
 * published package), there is nothing to compare. Costs a few milliseconds.
 *
 * @param root the plugin's package folder
 * @param running the hash recorded with the build that runs
 * @throws InputError
 */
export function assertFresh(root: string = packageRoot, running: string | undefined = loaded): void {
  if (!existsSync(join(root, 'src', 'plugin.ts'))) return;
  const sources = hashSources(root);
  if (running === sources) return;
  if (recordedHash(root) === sources) {
    // Nx shows the message of a plugin's error, and nothing else of it: the next step and the page stand in it.
    throw new InputError(`the Nx daemon has an older build of nx-mooring loaded: npx nx reset\n  more:    ${PAGES.command}`);
  }
  throw new InputError(`the plugin's build is older than its sources: npm run build\n  more:    ${PAGES.command}`);
}

function recordedHash(root: string): string | undefined {
  const file = join(root, 'dist', '.source-hash');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}
