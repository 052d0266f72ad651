import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { expect } from 'vitest';

/** Files of the empty workspace that no generator of ours writes. */
const GIVEN = ['package.json', 'tsconfig.base.json'];

/** An empty workspace without a formatter: what a generator leaves is what it wrote. */
export function emptyWorkspace(): Tree {
  return createTreeWithEmptyWorkspace({ formatter: 'none' });
}

/** Every file of the workspace with its text, but those that no generator of ours writes. */
export function written(tree: Tree): Record<string, string> {
  const files = tree.listChanges().filter(({ path, type }) => type !== 'DELETE' && !GIVEN.includes(path));
  return Object.fromEntries(files.map(({ path }) => [path, tree.read(path, 'utf-8') ?? '']));
}

/** A JSON file of the workspace. */
export function json(tree: Tree, path: string): Record<string, unknown> {
  return JSON.parse(tree.read(path, 'utf-8') ?? '');
}

/** Biome, in the style that Nx gives to new workspaces, would change none of the written files. */
export function expectFormatted(tree: Tree): void {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-format-'));
  try {
    for (const [path, text] of Object.entries(written(tree))) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const biome = join(import.meta.dirname, '../node_modules/.bin/biome');
    const style = ['--indent-style=space', '--javascript-formatter-quote-style=single', '--colors=off'];
    const { status, stdout, stderr } = spawnSync(biome, ['format', ...style, '.'], { cwd: folder, encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
