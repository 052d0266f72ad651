import { expect, test } from 'vitest';
import { type DeploySpec, deploy, sha } from './deploy.ts';
import { CONTAINERS, newWorld, onBtrfs, onZfs, type Site } from './process.ts';
import { WAYS } from './world/host.ts';
import type { World } from './world/world.ts';

const A: DeploySpec = { release: sha('a'), value: 'one' };
/** The service dies with this value. */
const BAD: DeploySpec = { release: sha('b'), value: 'broken' };
const MENDED: DeploySpec = { release: sha('c'), value: 'two' };

async function deployed(site: Site): Promise<World> {
  const world = newWorld(site);
  const { result } = await deploy(site, world, A);
  expect(result?.success, result?.output).toBe(true);
  world.writeEverywhere();
  world.pass(100);
  return world;
}

function configuration(site: Site, world: World) {
  return CONTAINERS.map((container) => {
    const content = world.incus.contentOf(world.incus.get(`m-${container}`, site.environment.incus.project));
    return { value: content.get('value'), unit: content.get('unit') };
  });
}

test('a setting with which the service dies is taken back: the former configuration runs again, and the run has failed', async () => {
  const world = await deployed(onZfs);
  const { result } = await deploy(onZfs, world, BAD);
  expect(result?.success).toBe(false);
  expect(result?.output).toContain('the former configuration runs again: model is healthy');
  expect(configuration(onZfs, world)).toEqual(CONTAINERS.map(() => ({ value: 'one', unit: 'one' })));
  expect(world.lost()).toEqual([]);
});

test('on a first deploy there is nothing to go back to, and the message says so', async () => {
  const { result } = await deploy(onZfs, newWorld(onZfs), BAD);
  expect(result?.success).toBe(false);
  expect(result?.output).toContain('this is the first deploy of m-alpha: there is no former configuration to go back to');
});

test('where a command fails that takes back, the message says so, and whether the service works', async () => {
  const start = await deployed(onZfs);
  const { commands } = await deploy(onZfs, start.clone(), BAD);
  const told: string[] = [];
  for (let at = 1; at <= commands; at++) {
    const { result } = await deploy(onZfs, start.clone(), BAD, { at, way: 'command fails' });
    if (result?.output.includes('taking it back failed too: ')) told.push(result.output);
  }
  expect(told.length).toBeGreaterThan(1);
  for (const output of told) {
    expect(output).toMatch(/taking it back failed too: a command that takes a change back failed.*; model (is healthy|does not work: )/);
    expect(output).toMatch(/next: .*incus exec local:m-\w+ --project default -- journalctl -u 'model' -n 50/);
  }
});

test.each([
  { kind: 'ZFS', site: onZfs },
  { kind: 'btrfs', site: onBtrfs },
])(
  'a deploy that is being taken back, ended at any of its commands, on $kind: the next run converges and nothing is lost',
  async ({ site }) => {
    const start = await deployed(site);
    const { commands } = await deploy(site, start.clone(), BAD);
    for (const next of [MENDED, A]) {
      for (let at = 1; at <= commands; at++) {
        for (const way of WAYS) {
          const where = `${way} at command ${at}, then ${next.value}`;
          const world = start.clone();
          const first = await deploy(site, world, BAD, { at, way });
          expect(first.result?.success ?? false, where).toBe(false);
          world.writeEverywhere();
          world.pass(100);
          const second = await deploy(site, world, next);
          expect(second.result?.success, `${where}\n${second.result?.output}`).toBe(true);
          expect(configuration(site, world), where).toEqual(CONTAINERS.map(() => ({ value: next.value, unit: next.value })));
          expect(world.lost(), where).toEqual([]);
        }
      }
    }
    console.log(`a deploy that is taken back: ended after each of its ${commands} commands, in ${WAYS.length} ways`);
  },
);
