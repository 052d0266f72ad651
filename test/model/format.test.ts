import { describe, expect, test } from 'vitest';
import { type DeployResult, type DeploySpec, deploy, sha } from './deploy.ts';
import { newWorld, onBtrfs, onTwoHosts, onZfs, type Process, type Site } from './process.ts';
import { drill, plan, prune, rollBack, status, verify } from './verb.ts';
import type { World } from './world/world.ts';

const A: DeploySpec = { release: sha('a'), value: 'one' };
const B: DeploySpec = { release: sha('b'), value: 'one' };
const C: DeploySpec = { release: sha('c'), value: 'two' };
/** As a later version would have it: it wrote what this one may not understand. */
const NEWER = { 'user.mooring.format': '2', 'user.mooring.tool': 'nx-mooring 0.9.0' };

type Verb = (site: Site, world: World) => Promise<Process<DeployResult>>;

async function deployed(site: Site): Promise<World> {
  const world = newWorld(site);
  for (const spec of [A, B]) {
    const { result } = await deploy(site, world, spec);
    expect(result?.success, result?.output).toBe(true);
    world.writeEverywhere();
    world.pass(10);
  }
  return world;
}

async function newerOn(site: Site, instance: string, marks: Record<string, string> = NEWER): Promise<World> {
  const world = await deployed(site);
  const { incus } = world.all.find((host) => host.incus.instances.has(`${site.environment.incus.project}/${instance}`)) ?? world;
  incus.setConfig(instance, site.environment.incus.project, marks);
  return world;
}

/** What a command that is refused must leave as it was. */
function traces(world: World) {
  return world.all.map(({ incus, zfs, files }) => ({
    instances: [...incus.instances],
    datasets: [...zfs.datasets],
    log: files.read('/var/lib/mooring/prod/audit.jsonl'),
    leases: files.called('lease'),
  }));
}

const CHANGING: [string, Verb][] = [
  ['a deploy', (site, world) => deploy(site, world, C)],
  ['a deploy that would change nothing', (site, world) => deploy(site, world, B)],
  ['a snapshot', (site, world) => deploy(site, world, { ...C, upTo: 'snapshot' })],
  ['an adoption', (site, world) => deploy(site, world, { ...C, adopt: ['alpha', 'beta'] })],
  ['a roll-back', (site, world) => rollBack(site, world, { before: B.release, value: 'one' })],
  ['a roll-back of the other container', (site, world) => rollBack(site, world, { before: B.release, value: 'one', projects: ['beta'] })],
  ['an undo', (site, world) => rollBack(site, world, { undo: true, value: 'one' })],
  ['a prune', (site, world) => prune(site, world, [])],
  ['a prune of what a roll-back left', (site, world) => prune(site, world, ['pre-rollback-x'])],
];

const READING: [string, Verb][] = [
  ['plan', (site, world) => plan(site, world)],
  ['status', (site, world) => status(site, world)],
  ['verify', (site, world) => verify(site, world)],
  ['rollback --dry-run', (site, world) => rollBack(site, world, { before: B.release, value: 'one', dryRun: true })],
];

describe.each([
  ['ZFS', onZfs],
  ['btrfs', onBtrfs],
])('where a newer nx-mooring has deployed last, on %s', (_, site) => {
  test.each([...CHANGING, ['a drill', (where: Site, world: World) => drill(where, world, 'alpha')] as [string, Verb]])(
    '%s is refused before anything is touched, and says what to upgrade to',
    async (_name, run) => {
      const world = await newerOn(site, 'm-alpha');
      const before = traces(world);
      const { result } = await run(site, world);
      expect(result?.success, result?.output).toBe(false);
      expect(result?.output).toContain(
        'cannot change prod on host model: m-alpha is of format 2, by nx-mooring 0.9.0; nx-mooring 0.1.0 knows format 1',
      );
      expect(result?.output).toMatch(/^ *next: +upgrade nx-mooring to 0\.9\.0 or newer: npm i -D nx-mooring@latest; /m);
      expect(traces(world)).toEqual(before);
    },
  );

  test.each(READING)('%s goes on, and warns', async (_name, run) => {
    const world = await newerOn(site, 'm-alpha');
    const { result } = await run(site, world);
    expect(result?.success, result?.output).toBe(true);
    expect(result?.output).toContain('WARNING: model: m-alpha is of format 2, by nx-mooring 0.9.0; nx-mooring 0.1.0 knows format 1');
  });
});

describe('the mark of the format', () => {
  const formatOf = (world: World, instance: string) => world.incus.get(instance, 'default').config['user.mooring.format'];

  test('is written when a container is made; one that an earlier version has made gets it with its next release, and is no change', async () => {
    const world = await deployed(onZfs);
    expect([formatOf(world, 'm-alpha'), formatOf(world, 'm-beta')]).toEqual(['1', '1']);
    for (const instance of ['m-alpha', 'm-beta']) world.incus.setConfig(instance, 'default', { 'user.mooring.format': undefined });
    const seen = await plan(onZfs, world, 'zfs', { failOnChanges: true });
    expect(seen.result, seen.result?.output).toMatchObject({ success: true, output: expect.not.stringContaining('WARNING') });
    await deploy(onZfs, world, B);
    expect(formatOf(world, 'm-alpha')).toBeUndefined();
    const next = await deploy(onZfs, world, { ...B, release: sha('d') });
    expect(next.result?.output).toContain('0 changes');
    expect([formatOf(world, 'm-alpha'), formatOf(world, 'm-beta')]).toEqual(['1', '1']);
  });

  test.each(['0', '01', '1.0', '-1', 'x', ' 1', '2'])('%j is none that this version knows', async (format) => {
    const world = await newerOn(onZfs, 'm-alpha', { 'user.mooring.format': format });
    const { result } = await deploy(onZfs, world, C);
    expect(result?.output).toContain(`m-alpha is of format ${format}, by nx-mooring 0.1.0; nx-mooring 0.1.0 knows format 1`);
  });
});

describe('of two hosts, the second of which is of a newer format', () => {
  const names = ['a deploy', 'a deploy that would change nothing', 'a snapshot', 'an adoption', 'a roll-back', 'a prune'];

  test.each(CHANGING.filter(([name]) => names.includes(name)))('%s touches neither', async (_, run) => {
    const world = await newerOn(onTwoHosts, 'm-beta');
    // A deploy that fails leaves word of that, on hosts that it may change.
    const seen = () => traces(world).map((host, i) => (i === 0 ? { ...host, log: undefined } : host));
    const before = seen();
    const { result } = await run(onTwoHosts, world);
    expect(result?.success, result?.output).toBe(false);
    expect(result?.output).toContain('cannot change prod on host second: m-beta is of format 2');
    expect(seen()).toEqual(before);
  });

  test('the first is deployed with --without', async () => {
    const world = await newerOn(onTwoHosts, 'm-beta');
    const { result } = await deploy(onTwoHosts, world, { ...C, projects: ['alpha'], without: ['second'] });
    expect(result?.success, result?.output).toBe(true);
  });
});
