import { expect, test } from 'vitest';
import { appendAudit } from '../../tools/executors/src/audit/audit.ts';
import { deploy, sha } from './deploy.ts';
import { ENVIRONMENT, newWorld, onBtrfs, onZfs } from './process.ts';
import { snapshotNames } from './use-cases.ts';
import { completedRelease, prune } from './verb.ts';
import { Connection } from './world/host.ts';
import type { World } from './world/world.ts';

/** What drills and prunes of a busy host write. */
async function writeOthers(world: World): Promise<void> {
  const others = Array.from({ length: 2000 }, (_, i) => ({
    run: `drill-${i}`,
    who: 'cron@host',
    what: 'drill',
    container: 'm-alpha',
    result: 'ok',
  }));
  await new Connection(world).open('model').run([appendAudit(ENVIRONMENT, others)]);
}

test.each([
  ['ZFS', onZfs],
  ['btrfs', onBtrfs],
])(
  '2,000 other entries after a deploy: its release is known, a prune prunes, and a container that vanishes is refused (%s)',
  async (_, site) => {
    const world = newWorld(site);
    const wide = { ...site, environment: { ...site.environment, retention: 9 } };
    for (const digit of ['a', 'b', 'c', 'd', 'e']) {
      const { result } = await deploy(wide, world, { release: sha(digit), value: digit });
      expect(result?.success, result?.output).toBe(true);
      world.pass(10);
    }
    await writeOthers(world);
    expect((await completedRelease(site, world)).result).toEqual({ success: true, output: sha('e') });
    const pruned = (await prune(site, world, [])).result;
    expect(pruned?.output).toContain('destroyed 2 of 4 restore points');
    expect([...new Set(snapshotNames(world))].filter((name) => name.includes('pre-deploy-'))).toHaveLength(2);

    world.incus.instances.delete(`${site.environment.incus.project}/m-alpha`);
    if (site === onZfs) world.zfs.datasets.delete('tank/incus/containers/m-alpha');
    const again = (await deploy(site, world, { release: sha('f'), value: 'f' })).result;
    expect(again?.success).toBe(false);
    expect(again?.output).toContain('m-alpha is not in the Incus project');
    expect(again?.output).toContain('the audit log says that it was there on');
    expect(world.incus.instances.has(`${site.environment.incus.project}/m-alpha`)).toBe(false);
  },
);
