import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';

/** Files by their paths; a text is written as it is, undefined takes a file away. */
type Files = Readonly<Record<string, unknown>>;

/**
 * Called at the top of a file of tests: each workspace is taken away after its test.
 *
 * @returns what makes a workspace of the good files with others over them, and gives its folder
 */
export function workspaceFolders(good: Files): (files?: Files) => string {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  return (files = {}) => {
    const root = mkdtempSync(join(tmpdir(), 'mooring "wörkspace" '));
    folders.push(root);
    for (const [file, content] of Object.entries({ ...good, ...files })) {
      if (content === undefined) continue;
      mkdirSync(join(root, dirname(file)), { recursive: true });
      writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
    }
    return root;
  };
}
