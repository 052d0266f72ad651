import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppsLab, makeAppsLab } from './apps-lab.ts';
import { expectConverged } from './expectations.ts';
import { makeProject } from './make-workspace.ts';
import { REPOSITORY, Workspace } from './workspace.ts';

/* One environment with a data container on an Incus host and an application's guest in Proxmox: one command brings up both. */

const NAME = 'twotiers';
const GUEST = 229;
const DATABASE = 230;
const LONG = 600_000;

let lab: AppsLab;
let data: Workspace;

beforeAll(async () => {
  const address = (last: number) => lab.address(last);
  lab = await makeAppsLab(NAME, [{ app: 'pote', guests: { [NAME]: GUEST }, over: { needs: ['postgres'] } }]);
  data = new Workspace(lab.workspace.root, NAME);
  await data.removeFromHost();
  await makeProject(NAME, 'veza-net0');
  for (const folder of ['infra/zfs', 'infra/postgres']) await cp(join(REPOSITORY, folder), join(data.root, folder), { recursive: true });
  const eth0 = { type: 'nic', name: 'eth0', network: 'veza-net0', 'ipv4.address': address(DATABASE) };
  await data.edit(data.environmentFile, (file) =>
    Object.assign(file, {
      host: 'local',
      prefix: `${NAME}-`,
      retention: 5,
      network: 'veza-net0',
      incus: { project: NAME, profiles: ['veza-data', 'veza-net'], image: 'mooring-base' },
      containers: { postgres: { devices: { eth0 }, settings: { version: 'debian' } } },
    }),
  );
  await data.edit('infra/apps/pote/app.json', (file) =>
    Object.assign(file, {
      postgres: { role: 'veza', database: 'veza', password: { secret: 'POSTGRES_PASSWORD' }, host: address(DATABASE) },
    }),
  );
  await appendFile(join(data.root, '.secrets', `${NAME}.env`), `POSTGRES_PASSWORD="of-both-tiers"\n`);
  await data.commit('an application that needs a data container');
}, LONG);

afterAll(async () => {
  await data?.removeFromHost();
  await lab?.remove();
}, LONG);

describe('an application that needs a data container', () => {
  it(
    'brings it up first, by the one command, and keeps its data in it',
    async () => {
      const output = await expectConverged(lab.workspace.run('pote', 'deploy', '--accept-host-key'));
      expect(output.indexOf('postgres: ')).toBeLessThan(output.indexOf('pote: deploy'));
      const response = await fetch(`http://${lab.address(GUEST)}:3001/health`);
      expect({ status: response.status, text: await response.text() }).toMatchObject({
        status: 200,
        text: expect.stringContaining('"revision": "0002"'),
      });
      expect(await data.guest('postgres', 'su postgres -c \'psql -tA veza -c "select version_num from alembic_version"\'')).toBe('0002\n');
      expect(await lab.shell(GUEST, 'dpkg-query -W -f "\\${Status}" postgresql 2>/dev/null || true')).not.toContain('installed');
    },
    LONG,
  );

  it(
    'has nothing to change in a second run, in neither tier',
    async () => {
      const output = await expectConverged(lab.workspace.nx(['run-many', '-t', 'deploy', '-c', NAME, '--output-style=static']));
      expect(output.match(new RegExp(`${NAME}: 0 changes`, 'g'))).toHaveLength(2);
    },
    LONG,
  );

  it('is shown with it by status', async () => {
    const output = await expectConverged(lab.workspace.nx(['run-many', '-t', 'status', '-c', NAME, '--output-style=static']));
    expect(output).toMatch(/twotiers-postgres +running .*healthy .* none/);
    expect(output).toMatch(/pote +pote-twotiers \(1229\) +running .*healthy .* none/);
  });
});
