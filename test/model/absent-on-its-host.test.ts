import { describe, expect, test } from 'vitest';
import { deploy, sha } from './deploy.ts';
import { deployed, entries, FIRST, NEXT, succeeds, vanish } from './deployed-on-two-hosts.ts';
import { ENVIRONMENT, newWorld, onTwoHosts, onZfs, type Site } from './process.ts';
import { plan, status } from './verb.ts';
import type { World } from './world/world.ts';

/** The file names one host for both containers. */
const onFirst: Site = { ...onTwoHosts, environment: onZfs.environment };

const named = (containers: Record<string, { host: string }>): Site => ({
  ...onTwoHosts,
  environment: { ...onZfs.environment, containers },
});

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

/** The second host as it is after an installation. */
function installAnew(world: World): void {
  const { second } = world;
  if (second === undefined) return;
  second.files.remove(`/var/lib/mooring/${ENVIRONMENT}`);
  vanish(second, 'm-beta');
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
