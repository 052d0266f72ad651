import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { emptyWorkspace, written } from '../../../../../test/trees.ts';
import type { Generator } from './entry.ts';

const { node } = process.versions;
const pretend = (version: string | undefined) => Object.defineProperty(process.versions, 'node', { value: version, configurable: true });
beforeEach(() => void pretend('20.20.2'));
afterEach(() => void pretend(node));

const { generators } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../generators.json'), 'utf8'));

it.each(Object.keys(generators))('%s writes nothing under an older Node, and says how to take the package out again', async (name) => {
  const { default: generate } = (await import(`../${name}/generator.ts`)) as { default: Generator };
  const tree = emptyWorkspace();
  const before = written(tree);
  await expect(generate(tree, { name: 'redis' })).rejects.toThrow(
    new RegExp(
      `^nx-mooring needs Node 22\\.18 or newer; this is Node 20\\.20\\.2\\. Nothing was written: nx\\.json is as it was\\.\\n {2}next: .*npx nx g nx-mooring:${name}; .*npm (?:rm|uninstall) nx-mooring$`,
    ),
  );
  expect(written(tree)).toEqual(before);
});
