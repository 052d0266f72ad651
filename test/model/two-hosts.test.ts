import { describe, expect, test, vi } from 'vitest';
import type { AuditEntry } from '../../tools/executors/src/audit/audit.ts';
import { type DeploySpec, deploy, sha } from './deploy.ts';
import { ENVIRONMENT, newWorld, onTwoHosts, onZfs, type Site } from './process.ts';
import { modelService } from './service.ts';
import { snapshotNames } from './use-cases.ts';
import { completedRelease, drill, inventory, log, plan, prune, rollBack, snapshots, status, verify } from './verb.ts';
import type { World } from './world/world.ts';

const FIRST: DeploySpec = { release: sha('a'), value: 'one' };
const NEXT: DeploySpec = { release: sha('b'), value: 'one' };
/** The file names one host for both containers. */
const onFirst: Site = { ...onTwoHosts, environment: onZfs.environment };
const named = (containers: Record<string, { host: string }>): Site => ({
  ...onTwoHosts,
  environment: { ...onZfs.environment, containers },
});

async function succeeds(site: Site, world: World, spec: DeploySpec): Promise<string> {
  const { result } = await deploy(site, world, spec);
  expect(result?.success, result?.output).toBe(true);
  world.pass(10);
  return result?.output ?? '';
}

async function deployed(site = onTwoHosts): Promise<World> {
  const world = newWorld(site);
  await succeeds(site, world, FIRST);
  return world;
}

/** What is told of a container that must not be created: by a deploy, a plan and a status, which change nothing. */
async function refused(site: Site, world: World, spec = NEXT, project = 'beta'): Promise<string[]> {
  const before = world.all.map(({ incus }) => [...incus.instances.keys()].sort());
  expect((await plan(site, world)).result?.success).toBe(false);
  const answers = [await deploy(site, world, spec), await plan(site, world, project), await status(site, world)];
  const [configured, planned, told] = answers.map(({ result }) => result);
  for (const one of [configured, planned]) expect(one?.success, one?.output).toBe(false);
  expect(world.all.map(({ incus }) => [...incus.instances.keys()].sort())).toEqual(before);
  for (const { files } of world.all) expect(files.called('lease')).toEqual([]);
  return [configured, planned, told].map((one) => one?.output ?? '');
}

function entries(world: World): AuditEntry[] {
  return (world.files.read(`/var/lib/mooring/${ENVIRONMENT}/audit.jsonl`) ?? '')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** The second host as it is after an installation. */
function installAnew(world: World): void {
  const { second } = world;
  if (second === undefined) return;
  second.files.remove(`/var/lib/mooring/${ENVIRONMENT}`);
  vanish(second, 'm-beta');
}

function vanish(world: World, instance: string): void {
  world.incus.instances.delete(`default/${instance}`);
  world.zfs.datasets.delete(`tank/incus/containers/${instance}`);
}

describe('the first deploy of an environment', () => {
  test('on two hosts at once needs no flag, and each log is told where all containers are, once', async () => {
    const world = await deployed();
    await succeeds(onTwoHosts, world, NEXT);
    const places = [
      ['m-alpha', 'alpha', 'model'],
      ['m-beta', 'beta', 'second'],
    ];
    for (const host of world.all)
      expect(
        entries(host)
          .filter(({ what }) => what === 'place')
          .map(({ container, project, host: at }) => [container, project, at]),
      ).toEqual(places);
  });

  /** The file names `second` no more, by git. */
  const moved: Site = {
    ...onZfs,
    world: onTwoHosts.world,
    before: { hosts: ['model', 'second'].map((host) => ({ host, commit: sha('1') })) },
  };
  const byGit = '(infra/environments/prod.json of commit 111111111111 names that host). No container is created there.';

  test('on another host than the file named before is refused, however often it is tried, until --new-host names it', async () => {
    const world = newWorld(onTwoHosts);
    await succeeds({ ...onTwoHosts, environment: { ...onZfs.environment, host: 'second' } }, world, FIRST);
    for (let i = 0; i < 2; i++)
      for (const output of await refused(moved, world, NEXT, 'alpha')) {
        expect(output).toContain('host model has no record of prod, but m-alpha is on host second (infra');
        expect(output).toContain(byGit);
      }
    await succeeds(moved, world, { ...NEXT, newHost: ['model'] });
    await succeeds(moved, world, FIRST);
  });

  test('the same where that host cannot be asked; where it can, and nothing was ever deployed there, no flag is needed', async () => {
    const world = newWorld(onTwoHosts);
    for (const output of await refused({ ...moved, unreachable: ['second'] }, world, FIRST, 'alpha'))
      expect(output).toContain(`it may have been deployed on host second, which cannot be asked: second: nobody answers ${byGit}`);
    await succeeds(moved, world, FIRST);
  });

  test('is refused where the history of the file is not known, and says why and what to type', async () => {
    const site: Site = { ...onZfs, before: { unknown: 'this clone is shallow: it lacks the history of the file' } };
    const world = newWorld(site);
    for (const output of await refused(site, world, FIRST, 'alpha')) expect(output).toContain('is not known: this clone is shallow');
    expect((await plan(site, world, 'zfs', { newHost: ['model'] })).result?.success).toBe(true);
    await succeeds(site, world, { ...FIRST, newHost: ['model'] });
  });
});

describe('a container that is absent on its host', () => {
  test('and is on another one of the environment is refused: it is there, also where --new-host is given', async () => {
    const world = await deployed();
    const site = named({ alpha: { host: 'second' }, beta: { host: 'model' } });
    for (const output of await refused(site, world))
      expect(output).toContain('m-beta is not on host model: it is on host second (running). No second one is created.');
    await refused(site, world, { ...NEXT, newHost: ['model', 'second'] });
    const one = named({ beta: { host: 'model' }, alpha: { host: 'model' }, gamma: { host: 'second' } });
    for (const output of await refused(one, world)) expect(output).toContain('it is on host second');
  });

  test('and vanished from another one is known by the log there', async () => {
    const world = await deployed();
    if (world.second !== undefined) vanish(world.second, 'm-beta');
    const site = named({ beta: { host: 'model' }, gamma: { host: 'second' } });
    for (const output of await refused(site, world))
      expect(output).toMatch(/the audit log of host second says that it was there on \S+ \(configure by model@test\)/);
    await succeeds(site, world, { ...NEXT, create: ['beta'] });
    expect(world.incus.instances.has('default/m-beta')).toBe(true);
    await succeeds(site, world, { ...FIRST, value: 'two' });
  });

  test('and was on a host that the file does not name any more is known by its own log, and that host is not asked', async () => {
    const world = await deployed();
    for (const output of await refused({ ...onFirst, unreachable: ['second'] }, world))
      expect(output).toMatch(/the audit log of host model says that m-beta was on host second on/);
  });

  test('on a host that was installed anew is refused, because the other knows of a deploy, until --new-host names it', async () => {
    const world = await deployed();
    installAnew(world);
    for (const output of await refused(onTwoHosts, world)) {
      expect(output).toContain('host second has no record of prod, but a deploy of aaaaaaaaaaaa completed on host model on');
    }
    const created = await deploy(onTwoHosts, world, { ...NEXT, create: ['beta'] });
    expect(created.result?.output).toContain('has no record of prod');
    // That it was there is another thing, and has a flag of its own.
    const { result } = await deploy(onTwoHosts, world, { ...NEXT, newHost: ['second'] });
    expect(result?.output).toContain('the audit log of host model says that m-beta was on host second on');
    await succeeds(onTwoHosts, world, { ...NEXT, newHost: ['second'], create: ['beta'] });
    await succeeds(onTwoHosts, world, NEXT);
  });

  describe('and whose deploys were of a release that wrote down no places', () => {
    const commit = sha('1');
    const before = { hosts: ['model', 'second'].map((host) => ({ host, commit })) };
    const byGit = '(infra/environments/prod.json of commit 111111111111 names that host)';
    async function upgraded(): Promise<World> {
      const world = await deployed();
      for (const { files } of world.all) {
        const file = `/var/lib/mooring/${ENVIRONMENT}/audit.jsonl`;
        files.write(file, (files.read(file) ?? '').replaceAll(/^.*"what":"place".*\n/gm, ''));
        files.remove(`/var/lib/mooring/${ENVIRONMENT}/index`);
      }
      return world;
    }

    test('is looked for on the hosts that the file has named, and refused where it is on one, until --new-host names its own', async () => {
      const world = await upgraded();
      for (const output of await refused({ ...onFirst, before }, world))
        expect(output).toContain(
          `no log of prod tells where beta was, and m-beta is on host second ${byGit}. No container is created on host model.`,
        );
      await succeeds({ ...onFirst, before }, world, { ...NEXT, newHost: ['model'] });
    });

    test('is refused where that host cannot be asked, or what the file named is not known', async () => {
      const world = await upgraded();
      for (const output of await refused({ ...onFirst, before, unreachable: ['second'] }, world))
        expect(output).toContain(`it may have been deployed on host second, which cannot be asked: second: nobody answers ${byGit}`);
      for (const output of await refused({ ...onFirst, before: { unknown: 'this clone is shallow' } }, world))
        expect(output).toContain('which hosts infra/environments/prod.json has named before is not known: this clone is shallow');
    });

    test('is known by the log there once it is gone, and under another prefix by its marks', async () => {
      const world = await upgraded();
      const prefixed: Site = { ...onFirst, before, environment: { ...onFirst.environment, prefix: 'n-' } };
      for (const output of await refused(prefixed, world)) expect(output).toContain(`m-beta is on host second ${byGit}`);
      if (world.second !== undefined) vanish(world.second, 'm-beta');
      for (const output of await refused({ ...onFirst, before }, world))
        expect(output).toContain(`the audit log of host second knows m-beta ${byGit}`);
    });

    test('is created without a flag where none of them ever had it, and then no former host is asked again', async () => {
      const world = await upgraded();
      vanish(world, 'm-alpha');
      for (const { files } of world.all) {
        const file = `/var/lib/mooring/${ENVIRONMENT}/audit.jsonl`;
        files.write(file, (files.read(file) ?? '').replaceAll(/^.*"container":"m-alpha".*\n/gm, ''));
      }
      const site: Site = { ...named({ alpha: { host: 'second' }, beta: { host: 'second' } }), before };
      const onSecond: Site = { ...site, environment: { ...site.environment, host: 'second' } };
      const output = await succeeds(onSecond, world, NEXT);
      expect(output).toContain('second: asked host model too');
      vanish(world.second as World, 'm-alpha');
      const { result } = await plan({ ...onSecond, unreachable: ['model'] }, world, 'alpha', { create: ['alpha'] });
      expect(result?.success, result?.output).toBe(true);
    });
  });

  test('under another prefix is known by its marks, and by the logs once it is gone', async () => {
    const world = await deployed();
    const site: Site = { ...onTwoHosts, environment: { ...onTwoHosts.environment, prefix: 'n-' } };
    for (const output of await refused(site, world)) {
      expect(output).toContain("m-beta on host second has this environment's marks and may be it, under another prefix");
    }
    vanish(world, 'm-alpha');
    if (world.second !== undefined) vanish(world.second, 'm-beta');
    for (const output of await refused(site, world))
      expect(output).toMatch(/the audit log of host second says that m-beta was on host second on/);
  });
});

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

describe('a container whose file has a mistake', () => {
  const site: Site = { ...onTwoHosts, mistaken: 'beta' };
  const mistake = 'infra/beta/container.json: settings.value: found nothing; expected string';

  test('is told by itself by what looks, beside the others, and fails', async () => {
    const world = await deployed();
    const planned = await plan(site, world);
    expect(planned.result).toMatchObject({
      success: false,
      output: expect.stringContaining('0 changes in the rest of prod; refused: beta'),
    });
    expect(planned.result?.output).toContain(`beta: refused\n  ${mistake}`);
    expect(planned.result?.output).toMatch(/^alpha \(m-alpha on model\)\n {2}provision: no changes$/m);
    const asked = await verify(site, world);
    expect(asked.result?.success).toBe(false);
    expect(JSON.parse(asked.result?.output ?? '').verified).toMatchObject([
      { project: 'alpha', health: 'healthy' },
      { project: 'beta', health: 'unknown', reasons: [mistake] },
    ]);
    const told = await status(site, world);
    expect(told.result?.success).toBe(false);
    expect(told.result?.output).toMatch(/^m-alpha +running .* healthy/m);
    expect(told.result?.output).toMatch(/^m-beta +unknown/m);
    expect(told.result?.output).toContain(mistake);
  });

  test('keeps no other from being looked at alone, and everything from being deployed before a host is asked', async () => {
    const world = await deployed();
    const alone = await plan(site, world, 'alpha');
    expect(alone.result?.success, alone.result?.output).toBe(true);
    const { result, commands } = await deploy(site, world, { ...NEXT, projects: ['alpha'] });
    expect(result).toMatchObject({ success: false, output: expect.stringContaining(mistake) });
    expect(commands).toBe(0);
  });

  test('or whose service fails before it asks anything, does not hide another one of the same host', async () => {
    const world = newWorld(onZfs);
    await succeeds(onZfs, world, FIRST);
    const [packages] = modelService.stages;
    vi.spyOn(packages as NonNullable<typeof packages>, 'facts').mockImplementation(({ context }) => {
      if (context.instance === 'm-beta') throw new TypeError('settings.value is undefined');
      return {};
    });
    const { result } = await plan(onZfs, world);
    expect(result?.success).toBe(false);
    expect(result?.output).toMatch(/^alpha \(m-alpha on model\)$/m);
    expect(result?.output).toMatch(
      /^beta: refused\n {2}settings.value is undefined\n {4}where: {3}host model, instance m-beta, step look$/m,
    );
  });

  test('is not taken for another one under another prefix', async () => {
    const world = await deployed();
    await succeeds(onTwoHosts, world, { ...NEXT, value: 'two' });
    vanish(world, 'm-alpha');
    const { result } = await plan(site, world);
    expect(result?.output).toContain('alpha: refused');
    expect(result?.output).not.toContain('under another prefix');
  });
});
