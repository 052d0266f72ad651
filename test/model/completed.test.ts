import { expect, test } from 'vitest';
import { deploy, sha } from './deploy.ts';
import { newWorld, onBtrfs, onZfs } from './process.ts';

test.each([
  ['ZFS', onZfs],
  ['btrfs', onBtrfs],
])('a restore point alone is no completed deploy: the deploy after it has it as its own (%s)', async (_, site) => {
  const world = newWorld(site);
  const [a, b] = [sha('a'), sha('b')];
  for (const spec of [{ release: a, value: 'one' }, { release: b, value: 'one', upTo: 'snapshot' } as const]) {
    const { result } = await deploy(site, world, spec);
    expect(result?.success, result?.output).toBe(true);
  }
  world.pass(10);
  const { result } = await deploy(site, world, { release: b, value: 'two' });
  expect(result?.success, result?.output).toBe(true);
  expect(result?.output).toContain('reused pre-deploy-bbbbbbbbbbbb');
});
