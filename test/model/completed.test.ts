import { expect, test } from 'vitest';
import { deploy, sha } from './deploy.ts';
import { newWorld, onBtrfs, onZfs } from './process.ts';
import { completedRelease, rollBack } from './verb.ts';

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

test('status --completed-release is the base of the next deploy, and nothing but it', async () => {
  const world = newWorld(onZfs);
  const asked = async (project?: string) => (await completedRelease(onZfs, world, project)).result;
  const deployed = (release: string, value: string) => deploy(onZfs, world, { release, value });
  const [a, b] = [sha('a'), sha('b')];

  expect(await asked()).toEqual({
    success: false,
    output: expect.stringContaining('no completed release of prod: the audit log has no deploy'),
  });
  await deployed(a, 'one');
  expect(await asked()).toEqual({ success: true, output: a });
  expect((await deployed(b, 'broken')).result?.success).toBe(false);
  expect(await asked()).toEqual({ success: true, output: a });
  await deployed(b, 'two');
  expect(await asked()).toEqual({ success: true, output: b });
  expect((await rollBack(onZfs, world, { before: b, value: 'one' })).result?.success).toBe(true);
  expect(await asked()).toEqual({ success: false, output: expect.stringContaining('a roll-back was the last that ended') });
  expect(await asked('alpha')).toEqual({
    success: false,
    output: expect.stringContaining('next:    nx run zfs:status -c prod --completed-release'),
  });
});
