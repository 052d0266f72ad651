import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectConverged } from '../e2e/expectations.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { Data } from './data.ts';
import { startDeployed } from './deployed.ts';
import { CONTAINERS, discard } from './environment.ts';
import { everything, instances } from './looking.ts';
import { machine } from './machine.ts';

let workspace: Workspace;
let whole: string;

const running = CONTAINERS.map((container) => `acceptance-${container},RUNNING`).sort();
const drill = (container: string, ...flags: string[]) => workspace.run(container, 'drill', ...flags);
const psql = (sql: string) => workspace.guest('postgres', `runuser -u postgres -- psql -X -q -At -d veza -c "${sql}"`);

beforeAll(async () => {
  ({ workspace } = await startDeployed());
  await new Data(workspace).write('of-a');
  whole = await workspace.commit('release B');
  await expectConverged(workspace.run('zfs', 'snapshot'));
});
afterAll(() => discard(workspace));

// All four services are drilled on the lab (test/e2e): what is ZFS's own is the copy, and that is made alike for all.
describe('a restore point that is whole', () => {
  it.each([
    ['postgres', 'table veza.public.words: 1 rows'],
    ['redis', 'database db0: '],
  ])('%s: is proved restorable on a clone, which is gone again; the live one is not touched', async (container, says) => {
    const before = await everything();
    const output = await expectConverged(drill(container, `--to=${whole}`));
    expect(output).toContain('can be restored');
    expect(output).toContain(says);
    expect(output).toMatch(/a real roll-back would take about \d+ s/);
    expect(await everything()).toEqual(before);
  });
});

describe('a restore point whose PostgreSQL files were damaged', () => {
  it('is found out: the table that cannot be read is named', async () => {
    const [, path] = (await psql("checkpoint; select current_setting('data_directory') || '/' || pg_relation_filepath('words')")).match(
      /^(\/\S+)$/m,
    ) as RegExpMatchArray;
    // While it is stopped, so that neither the server nor its next checkpoint fixes it; and fixed again after the cut.
    await workspace.guest(
      'postgres',
      `systemctl stop 'postgresql@*'; cp -a ${path} /root/whole; printf damaged | dd of=${path} bs=1 seek=8000 conv=notrunc status=none; sync`,
    );
    const damaged = await workspace.commit('over damage');
    await expectConverged(workspace.run('zfs', 'snapshot'));
    await workspace.guest('postgres', `cp -a /root/whole ${path}; systemctl start postgresql`);
    const { code, output } = await drill('postgres', `--to=${damaged}`);
    expect(code, output).toBe(1);
    expect(output).toMatch(/was not proved restorable: postgres runs, but what it holds could not be read/);
    expect(output).toMatch(/invalid page in block 0 of relation/);
    expect(await instances(workspace)).toEqual(running);
    expect(await machine.zfs('list', '-H', '-o', 'name', '-r', 'tank/incus/containers')).not.toContainEqual(
      expect.stringContaining('drill-'),
    );
  });
});
