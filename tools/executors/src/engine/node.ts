import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PAGES } from './pages.ts';

/** What the plugin's language level needs: type stripping for a workspace's own `service.ts` came with 22.18. */
const NEEDED = [22, 18] as const;

/**
 * Why an older Node is refused, as a plain sentence; nothing for one that will do. It is asked before anything else of the plugin is
 * imported, and this file imports nothing but names of pages, so that the sentence comes and not the syntax error of some dependency.
 *
 * @param version such as `process.versions.node`
 */
export function tooOld(version: string = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return undefined;
  return `nx-mooring needs Node ${NEEDED.join('.')} or newer; this is Node ${version}`;
}

/**
 * Refuses to be loaded by an older Node.
 *
 * @param folder of the workspace, or below it
 * @throws Error that says how every nx command works again
 */
export function assertNode(version?: string, folder: string = process.cwd()): void {
  const reason = tooOld(version);
  if (reason === undefined) return;
  const other = ownNode(folder);
  const way =
    other === undefined
      ? 'Start nx with a newer one; where there is none, take "nx-mooring/plugin" out of "plugins" in nx.json, and every nx command works as before.'
      : `The workspace has another, ${other}: start nx with npx or an npm script, both use it.`;
  throw new Error(`${reason}. ${way}\n  more:    ${PAGES.command}`);
}

/** The Node that a workspace brings as a package, unless it is the one that runs. */
function ownNode(folder: string): string | undefined {
  const found = join(folder, 'node_modules', '.bin', 'node');
  if (existsSync(found)) return realpathSync(found) === realpathSync(process.execPath) ? undefined : 'node_modules/.bin/node';
  return dirname(folder) === folder ? undefined : ownNode(dirname(folder));
}
