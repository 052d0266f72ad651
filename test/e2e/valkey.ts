import { readFile } from 'node:fs/promises';
import { run } from './workspace.ts';

/**
 * A generated `service.ts` with its places filled in as the comments there say, for Valkey: each line that is to be taken out is
 * replaced by the commented lines beneath it, without their `//`. Nothing else is changed.
 *
 * @param text as generated for `valkey`
 */
export async function fillInValkey(text: string): Promise<string> {
  const source = await backports();
  const lines: string[] = [];
  let open = false;
  for (const line of text.split('\n')) {
    const [, indent, code] = /^( *)\/\/ ?(.*)$/.exec(line) ?? [];
    const isEmptyList = source !== undefined && line === 'const SOURCES: Command[] = [];';
    if (/fillIn(<.*>)?\(/.test(line) || isEmptyList) open = true;
    else if (open && indent !== undefined && code !== undefined) lines.push(indent + code);
    else {
      open = false;
      if (line !== '  fillIn,') lines.push(line);
    }
  }
  const filled = lines.join('\n');
  if (source === undefined) return filled;
  return filled.replace('  // addSource, // for FILL IN 2', '  addSource,').replace('http://deb.debian.org/debian', source);
}

/** Where this machine has Debian 12's backports, which Valkey is in; nothing on a Debian that has Valkey itself. The lab has the same Debian. */
async function backports(): Promise<string | undefined> {
  if (!/^VERSION_CODENAME=bookworm$/m.test(await readFile('/etc/os-release', 'utf8'))) return undefined;
  const targets = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Codename: bookworm-backports']);
  const [uri] = targets.split('\n');
  if (!uri) throw new Error('apt has no list of bookworm-backports: the lab brings it (test/lab/lab.sh up)');
  return uri.replace(/\/$/, '');
}
