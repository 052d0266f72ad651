import { readFile } from 'node:fs/promises';

/**
 * A generated `service.ts` with its places filled in as the comments there say, for Valkey: each line that is to be taken out is
 * replaced by the commented lines beneath it, without their `//`. Nothing else is changed.
 *
 * @param text as generated for `valkey`
 */
export async function fillInValkey(text: string): Promise<string> {
  const wantsBackports = await isBookworm();
  const lines: string[] = [];
  let open = false;
  for (const line of text.split('\n')) {
    const [, indent, code] = /^( *)\/\/ ?(.*)$/.exec(line) ?? [];
    const isEmptyList = wantsBackports && line === 'const SOURCES: Command[] = [];';
    if (/fillIn(<.*>)?\(/.test(line) || isEmptyList) open = true;
    else if (open && indent !== undefined && code !== undefined) lines.push(indent + code);
    else {
      open = false;
      if (line !== '  fillIn,') lines.push(line);
    }
  }
  const filled = lines.join('\n');
  return wantsBackports ? filled.replace('  // addBackports, // for FILL IN 2', '  addBackports,') : filled;
}

/** Debian 12 has Valkey in its backports, later ones have it themselves. The lab has this machine's Debian. */
async function isBookworm(): Promise<boolean> {
  return /^VERSION_CODENAME=bookworm$/m.test(await readFile('/etc/os-release', 'utf8'));
}
