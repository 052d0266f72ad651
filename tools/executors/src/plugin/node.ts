import { PAGES } from '../engine/pages.ts';

/** What the plugin's language level needs: type stripping for a workspace's own `service.ts` came with 22.18. */
const NEEDED = [22, 18] as const;

/**
 * Refuses an older Node with a plain sentence. It is called before anything else of the plugin is imported, and this
 * file imports nothing but names of pages, so that the sentence comes and not the syntax error of some dependency.
 *
 * @param version such as `process.versions.node`
 */
export function assertNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  throw new Error(
    `nx-mooring needs Node ${NEEDED.join('.')} or newer; this is Node ${version}. ` +
      'The workspace brings one: start nx with npx or an npm script, both use node_modules/.bin/node.' +
      `\n  more:    ${PAGES.command}`,
  );
}
