import { describe, expect, test } from 'vitest';
import { type DeploySpec, deploy, sha } from './deploy.ts';
import { deployed, entries, NEXT, succeeds } from './deployed-on-two-hosts.ts';
import { newWorld, onTwoHosts, type Site } from './process.ts';
import { snapshotNames } from './use-cases.ts';
import { completedRelease, drill, inventory, log, plan, prune, rollBack, snapshots, status, verify } from './verb.ts';
import type { World } from './world/world.ts';

describe('a host that does not answer', () => {
  const dead: Site = { ...onTwoHosts, unreachable: ['second'] };
  const living = { ...NEXT, projects: ['alpha'] };

  test('has rows in the status that say so, beside those of the living ones, and it fails', async () => {
    const { result } = await status(dead, await deployed());
    expect(result?.success).toBe(false);
    const lines = result?.output.split('\n') ?? [];
    expect(lines.find((line) => line.startsWith('m-alpha'))).toMatch(/running .* healthy/);
    expect(lines.find((line) => line.startsWith('m-beta'))).toMatch(/unreachable .* unknown/);
    expect(result?.output).toContain('host second: second: nobody answers');
  });

  test('is unknown to verify, which still asks the containers of the living ones, and fails', async () => {
    const { result } = await verify(dead, await deployed());
    expect(result?.success).toBe(false);
    expect(JSON.parse(result?.output ?? '').verified).toMatchObject([
      { project: 'alpha', health: 'healthy' },
      { project: 'beta', health: 'unknown', error: expect.stringMatching(/nobody answers\n {2}where: {3}host second, instance m-beta$/m) },
    ]);
  });

  test('is told by plan under the names of its containers, beside the plans of the others, and fails', async () => {
    const world = await deployed();
    const shown = await plan(dead, world);
    expect(shown.result?.success).toBe(false);
    expect(shown.result?.output).toMatch(/^alpha \(m-alpha on model\)\n {2}provision: no changes$/m);
    expect(shown.result?.output).toMatch(/^beta: refused\n {2}second: nobody answers\n {4}where: {3}host second, instance m-beta$/m);
    expect(shown.result?.output).toMatch(/^0 changes in the rest of prod; refused: beta$/m);
    expect((await plan(dead, world, 'alpha')).result?.success).toBe(true);
    const json = await plan(dead, world, 'zfs', { json: true });
    expect(JSON.parse(json.result?.output ?? '')).toMatchObject({
      changes: 0,
      containers: [{ container: 'alpha' }],
      refused: [{ container: 'beta', because: 'second: nobody answers' }],
    });
  });

  /** Two restore points on each host, and more entries than one deploy leaves. */
  async function changed(): Promise<World> {
    const world = await deployed();
    for (const [i, digit] of ['b', 'c', 'd', 'e'].entries()) await succeeds(onTwoHosts, world, { release: sha(digit), value: `${i}` });
    return world;
  }
  const unreachable = /^second: unreachable\n {2}second: nobody answers\n {4}where: {3}host second$/m;

  test.each<[string, (site: Site, world: World) => ReturnType<typeof plan>, RegExp]>([
    ['log', log, /deploy {2}eeeeeeeeeeee {2}ok$/m],
    ['snapshots', snapshots, /^model:\n.*\npre-deploy-eeeeeeeeeeee .*\npre-deploy-dddddddddddd /m],
    [
      'prune --dry-run',
      (site, world) => prune(site, world, [], undefined, { dryRun: true }),
      /^model: 0 of 2 restore points would be destroyed/m,
    ],
    [
      'prune --preserved --dry-run',
      (site, world) => prune(site, world, [], undefined, { dryRun: true, kept: true }),
      /^no roll-back left anything that is still there$/m,
    ],
    ['inventory', inventory, /"mooring_host": "model"/],
  ])('is told by %s as unreachable, beside what the others say, and fails', async (_, verb, said) => {
    const { result } = await verb(dead, await changed());
    expect(result?.success, result?.output).toBe(false);
    expect(result?.output).toMatch(said);
    expect(result?.output).toMatch(unreachable);
  });

  test('is none of what snapshots and prune give as data, but named there', async () => {
    const world = await changed();
    const told = [{ host: 'second', because: 'second: nobody answers', error: expect.stringContaining('host second') }];
    for (const { result } of [await snapshots(dead, world, true), await prune(dead, world, [], undefined, { dryRun: true, json: true })]) {
      expect(result?.success).toBe(false);
      const json = (result?.output ?? '').slice(result?.output.indexOf('\n{'));
      expect(JSON.parse(json)).toMatchObject({ hosts: [{ host: 'model' }], unreachable: told });
    }
  });

  test('keeps a prune and a roll-back of all from touching anything on the others, until --without names it', async () => {
    const site: Site = { ...dead, environment: { ...dead.environment, retention: 1 } };
    const world = await changed();
    const state = () => world.all.map((one) => [snapshotNames(one), entries(one).length, one.files.called('lease')]);
    const before = state();
    for (const { result } of [
      await prune(site, world, []),
      await prune(site, world, ['x']),
      await rollBack(site, world, { before: sha('e'), value: '2' }),
    ]) {
      expect(result?.success).toBe(false);
      expect(result?.output).toMatch(/: the same command with --without=second$/m);
    }
    expect(state()).toEqual(before);
    const pruned = await prune(site, world, [], undefined, { without: ['second'] });
    expect(pruned.result, pruned.result?.output).toMatchObject({ success: true, output: expect.stringContaining('destroyed 1 of 2') });
    expect(pruned.result?.output).toContain('left out by --without: host second (beta)');
    const back = await rollBack(site, world, { before: sha('e'), value: '2', without: ['second'] });
    expect(back.result?.success, back.result?.output).toBe(true);
    expect(back.result?.output).toContain('left out by --without: host second (beta); nothing there was looked at or changed');
    expect(world.files.called('lease')).toEqual([]);
  });

  test('keeps no container of another from being drilled or rolled back alone; its own are refused', async () => {
    const world = await changed();
    for (const { result } of [
      await drill(dead, world, 'alpha'),
      await rollBack(dead, world, { before: sha('e'), value: '2', projects: ['alpha'] }),
    ])
      expect(result?.success, result?.output).toBe(true);
    for (const { result } of [
      await drill(dead, world, 'beta'),
      await rollBack(dead, world, { before: sha('e'), value: '2', projects: ['beta'] }),
    ]) {
      expect(result?.success).toBe(false);
      expect(result?.output).toMatch(/second: nobody answers\n(.*\n)? {2}next: {4}check the network$/m);
    }
  });

  test('keeps a deploy on the other from beginning, which says what to type, and the lease of the living one is given back', async () => {
    const world = await deployed();
    const { result } = await deploy(dead, world, living);
    expect(result?.success).toBe(false);
    expect(result?.output).toMatch(/next: {4}check the network; or leave that host out: the same command with --without=second$/m);
    const both = await deploy(dead, world, NEXT);
    expect(both.result?.output).toMatch(/: the same command with --without=second and -p alpha$/m);
    const none = await deploy(dead, world, { ...NEXT, projects: ['beta'] });
    expect(none.result?.output).toMatch(/next: {4}check the network$/m);
    expect(world.files.called('lease')).toEqual([]);
  });

  test('is left out by --without: the others are deployed, what was left out is said, and no release is the completed one', async () => {
    const world = await deployed();
    const output = await succeeds(dead, world, { ...living, without: ['second'] });
    expect(output).toContain('left out by --without: host second (beta); nothing there was looked at or changed');
    expect(world.files.called('lease')).toEqual([]);
    expect((await completedRelease(dead, world)).result?.success).toBe(false);
    expect((await completedRelease(onTwoHosts, world)).result).toEqual({
      success: false,
      output: expect.stringContaining('no completed release of prod: the deploy of bbbbbbbbbbbb left out second'),
    });
    await succeeds(onTwoHosts, world, NEXT);
    expect((await completedRelease(onTwoHosts, world)).result).toEqual({ success: true, output: NEXT.release });
  });

  test('may have what is absent elsewhere: nothing is created while it cannot be asked', async () => {
    const world = newWorld(onTwoHosts);
    const { result } = await deploy(dead, world, { ...living, without: ['second'] });
    expect(result?.output).toContain('whether it is on host second is not known: --without leaves it out');
    await succeeds(dead, world, { ...living, without: ['second'], create: ['alpha'] });
  });

  test('that dies in the middle of a deploy does not keep the lease of the other', async () => {
    const world = await deployed();
    const { commands } = await deploy(onTwoHosts, world.clone(), { ...NEXT, value: 'two' });
    for (let at = 1; at <= commands; at++) {
      const copy = world.clone();
      await deploy(onTwoHosts, copy, { ...NEXT, value: 'two' }, { at, way: 'host gone' });
      const left = copy.all.filter(({ files }) => files.called('lease').length > 0);
      expect(left.length, `at command ${at}`).toBeLessThanOrEqual(1);
    }
  });
});

describe('--without and --new-host', () => {
  test.each<[string, Partial<DeploySpec>, string]>([
    [
      'leaves out what the command is about',
      { without: ['second'] },
      '--without excludes host second, but this command targets containers there: beta\n  next:    the same command with -p alpha\n',
    ],
    [
      'leaves out all that the command is about',
      { projects: ['beta'], without: ['second'] },
      'targets containers there: beta\n  next:    name containers of the other hosts: alpha\n',
    ],
    ['an unknown host', { projects: ['alpha'], without: ['secnod'] }, '--without: prod has no host secnod'],
    ['every host', { projects: ['alpha'], without: ['second', 'model'] }, '--without leaves out every host of prod'],
    ['an unknown new host', { newHost: ['modle'] }, '--new-host: prod has no host modle'],
  ])('%s: refused before a host is asked', async (_, flags, message) => {
    const { result, commands } = await deploy(onTwoHosts, newWorld(onTwoHosts), { ...NEXT, ...flags });
    expect(result?.success).toBe(false);
    expect(result?.output).toContain(message);
    expect(commands).toBe(0);
  });
});
