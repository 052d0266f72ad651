import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What the plugin is compiled from, as one sha256: its sources (tests left out), its shell programs and its version.
 *
 * @param packageRoot the folder that holds `package.json` and `src`
 * @returns 64 hex digits
 */
export function hashSources(packageRoot: string): string {
  const src = join(packageRoot, 'src');
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const hash = createHash('sha256').update(version);
  for (const file of sources(src, '').sort()) hash.update(`\0${file}\0`).update(readFileSync(join(src, file)));
  return hash.digest('hex');
}

function sources(root: string, under: string): string[] {
  return readdirSync(join(root, under), { withFileTypes: true }).flatMap((entry) => {
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) return sources(root, path);
    return path.endsWith('.sh') || (path.endsWith('.ts') && !path.endsWith('.test.ts')) ? [path] : [];
  });
}
