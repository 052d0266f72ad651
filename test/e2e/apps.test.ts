import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppsLab, makeAppsLab } from './apps-lab.ts';
import { RunningNx } from './running.ts';
import type { Ended } from './workspace.ts';

/* Two applications in two environments, from nothing to roll-back: real nx, real guests, a real git server. */

const [ONE, TWO] = ['appsone', 'appstwo'];
/** The last number of each guest's address. */
const NOTES = { [ONE]: 221, [TWO]: 222 };
const POTE = { [ONE]: 223, [TWO]: 224 };
const LONG = 1_200_000;
const ZEROS = '0'.repeat(40);

let lab: AppsLab;
beforeAll(async () => {
  lab = await makeAppsLab(
    ONE,
    [
      // What is not healthy is not asked for a whole minute.
      { app: 'notes', guests: NOTES, over: { health: { timeoutSeconds: 20 } } },
      { app: 'pote', guests: POTE },
    ],
    [ONE, TWO],
  );
}, LONG);
afterAll(() => lab?.remove(), LONG);

const url = (last: number | undefined, port: number, path: string) => `http://${lab.address(last ?? 0)}:${port}${path}`;
async function get(last: number | undefined, port: number, path: string) {
  const response = await fetch(url(last, port, path));
  return { status: response.status, text: await response.text() };
}
const args = (environment: string, target: string, ...flags: string[]) => [
  ...['run-many', '-t', target, `--configuration=${environment}`, '--output-style=static'],
  ...flags,
];
const deploy = (environment: string, ...flags: string[]) => lab.workspace.nx(args(environment, 'deploy', ...flags));
const notes = (target: string, ...flags: string[]) =>
  lab.workspace.nx(['run', `notes:${target}`, '-c', ONE, '--output-style=static', ...flags]);
const succeeded = ({ code, output }: Ended): string => {
  expect(code, output).toBe(0);
  return output;
};
/** The commit that is live, as the guest's own link says. */
const live = async (last: number | undefined) => (await lab.shell(last ?? 0, 'readlink /srv/app/current')).trim().slice(-12);

describe('both applications', () => {
  it(
    'are provisioned, configured and deployed by one command',
    async () => {
      const { code, output } = await deploy(ONE, '--accept-host-key');
      expect(code, output).toBe(0);
      expect(output).toMatch(/host key of [\d.]+ recorded on first sight: SHA256:/);
      expect(await get(NOTES[ONE], 3001, '/health')).toMatchObject({
        status: 200,
        text: expect.stringContaining(`"environment":"${ONE}"`),
      });
      expect((await get(NOTES[ONE], 3000, '/')).status).toBe(200);
      expect(await get(POTE[ONE], 3001, '/health')).toMatchObject({ status: 200, text: expect.stringContaining('"revision": "0002"') });
    },
    LONG,
  );

  it(
    'have nothing to change in a second run',
    async () => {
      const writes = () => lab.state.calls.filter((call) => !call.startsWith('GET')).length;
      const before = writes();
      const { code, output } = await deploy(ONE);
      expect(code, output).toBe(0);
      expect(output).toContain(`${ONE}: 0 changes`);
      expect(writes()).toBe(before);
    },
    LONG,
  );

  it(
    'are shown by status, plan, verify and inventory',
    async () => {
      const status = await lab.workspace.nx(args(ONE, 'status'));
      expect(status.output).toMatch(/notes +notes-appsone \(1221\) +running +\S+ +main +healthy .* none/);
      expect(status.output).toMatch(/pote +pote-appsone \(1223\) +running +\S+ +main +healthy .* none/);
      succeeded(await lab.workspace.nx(args(ONE, 'plan', '--fail-on-changes')));
      expect(succeeded(await lab.workspace.nx(args(ONE, 'verify')))).toContain('pote: python application is healthy');
      succeeded(await notes('inventory', '--all', '--out=inventory.json'));
      const { _meta, ...groups } = JSON.parse(await lab.read('inventory.json'));
      expect(Object.keys(groups)).toEqual(expect.arrayContaining(['app_all', 'app_notes_all', 'app_notes_appsone', 'app_pote_appstwo']));
      expect(_meta.hostvars['notes-appsone']).toMatchObject({ ansible_host: lab.address(NOTES[ONE] ?? 0), app_branch: 'main' });
    },
    LONG,
  );

  it(
    'come up in another environment, though each step is ended once by SIGTERM',
    async () => {
      for (const moment of [/notes: creating the guest/, /notes: packages: create/, /notes: deploy: create release/]) {
        const running = new RunningNx(lab.workspace, args(TWO, 'deploy', '--accept-host-key', '--lease-wait=90s'));
        // Behind the lease of the run that was ended, and what apt takes on a busy machine.
        await running.says(moment, 600_000);
        running.kill('SIGTERM');
        const { code, signal } = await running.ended;
        expect({ moment, ended: code !== 0 || signal !== null }).toEqual({ moment, ended: true });
      }
      succeeded(await deploy(TWO, '--accept-host-key', '--lease-wait=90s'));
      expect((await get(NOTES[TWO], 3001, '/health')).status).toBe(200);
      expect((await get(POTE[TWO], 3001, '/health')).status).toBe(200);
      expect(succeeded(await deploy(TWO))).toContain(`${TWO}: 0 changes`);
    },
    LONG,
  );
});

describe('a commit', () => {
  it(
    'is deployed when it is new',
    async () => {
      const commit = await lab.repository('notes').commit('a new page', { 'frontend/page.html': '<h1>The second page</h1>\n' });
      succeeded(await deploy(ONE));
      expect(await live(NOTES[ONE])).toBe(commit.slice(0, 12));
      expect((await get(NOTES[ONE], 3000, '/')).text).toContain('The second page');
    },
    LONG,
  );

  it(
    'whose health check fails goes back by itself, with status and body',
    async () => {
      const good = await live(NOTES[ONE]);
      const server = await lab.repository('notes').read('backend/server.js');
      const sick = server.replace('form === FORM ? 200 : 503', '500');
      expect(sick).not.toBe(server);
      const commit = await lab.repository('notes').commit('a sick one', { 'backend/server.js': sick });
      const { code, output } = await notes('deploy');
      expect(code).toBe(1);
      expect(output).toContain('500');
      expect(output).toContain('"app":"notes"');
      expect(await live(NOTES[ONE])).toBe(good);
      expect((await get(NOTES[ONE], 3001, '/health')).status).toBe(200);
      // The bad one is kept to be looked at.
      expect(await lab.shell(NOTES[ONE] ?? 0, 'ls /srv/app/releases')).toContain(commit.slice(0, 12));
      await lab.repository('notes').commit('well again', { 'backend/server.js': server });
    },
    LONG,
  );

  it(
    'whose migration fails leaves the old release live',
    async () => {
      const good = await live(NOTES[ONE]);
      const migrate = await lab.repository('notes').read('backend/migrate.js');
      await lab
        .repository('notes')
        .commit('cannot migrate', { 'backend/migrate.js': "console.error('the form is odd'); process.exit(3);\n" });
      const { code, output } = await notes('deploy');
      expect(code).toBe(1);
      expect(output).toContain('the form is odd');
      expect(await live(NOTES[ONE])).toBe(good);
      await lab.repository('notes').commit('migrates again', { 'backend/migrate.js': migrate });
      succeeded(await notes('deploy'));
      expect(await live(NOTES[ONE])).not.toBe(good);
    },
    LONG,
  );

  it(
    'is taken back by rollback, and comes again by its name',
    async () => {
      const now = await live(NOTES[ONE]);
      const { code, output } = await notes('rollback');
      expect(code, output).toBe(0);
      expect(output).toContain('it was live before');
      expect(await live(NOTES[ONE])).not.toBe(now);
      expect(await notes('rollback', '--before=abcdefabcdef')).toMatchObject({
        code: 1,
        output: expect.stringContaining('--before applies to restore points'),
      });
      expect((await notes('rollback', `--to=${ZEROS.replace('0', 'a')}`)).code).toBe(1);
      succeeded(await notes('rollback', `--to=${now}`));
      expect(await live(NOTES[ONE])).toBe(now);
    },
    LONG,
  );
});

describe('two deploys at once', () => {
  it(
    'of one guest: the second fails, or waits if it is asked to',
    async () => {
      const untilTold =
        "import { existsSync } from 'node:fs';\nwhile (!existsSync('/srv/app/go')) await new Promise((go) => setTimeout(go, 100));\n";
      await lab.repository('notes').commit('takes its time', { 'backend/migrate.js': untilTold });
      const first = new RunningNx(lab.workspace, ['run', 'notes:deploy', '-c', ONE, '--output-style=static']);
      await first.says(/notes: deploy: update database schema/, 300_000);
      const second = await notes('deploy', '--excludeTaskDependencies');
      expect(second).toMatchObject({ code: 1, output: expect.stringContaining(`${ONE} is held by another run`) });
      const third = new RunningNx(lab.workspace, [
        ...['run', 'notes:deploy', '-c', ONE, '--output-style=static'],
        ...['--excludeTaskDependencies', '--lease-wait=120s'],
      ]);
      await third.says(new RegExp(`waiting, at most \\d+ s more: ${ONE} is held by another run`));
      await lab.shell(NOTES[ONE] ?? 0, 'touch /srv/app/go');
      expect(await first.ended).toMatchObject({ code: 0 });
      expect(await third.ended).toMatchObject({ code: 0, output: expect.stringContaining('is live already') });
    },
    LONG,
  );
});

describe('another machine', () => {
  it(
    'with the address that a guest is to have is found by ARP, though Proxmox does not know it and it drops pings',
    async () => {
      const stranger = 225;
      const known = [...lab.state.guests];
      await lab.stranger(stranger);
      expect(lab.state.guests).toEqual(known);
      await lab.workspace.edit('infra/apps/notes/app.json', (file) => {
        const environments = file.environments as Record<string, { ip: string; vmid: number }>;
        Object.assign(environments[TWO] ?? {}, { ip: `${lab.address(stranger)}/24` });
      });
      const run = ['run', 'notes:provision', '-c', TWO, '--output-style=static'];
      const { code, output } = await lab.workspace.nx(run);
      expect(code).toBe(1);
      expect(output).toMatch(
        new RegExp(`${lab.address(stranger)} is taken: MAC [0-9A-F:]{17}, which belongs to no guest: it answers ARP, asked from local`),
      );
      await lab.workspace.edit('infra/apps/notes/app.json', (file) => {
        const environments = file.environments as Record<string, { ip: string; vmid: number }>;
        Object.assign(environments[TWO] ?? {}, { ip: `${lab.address(NOTES[TWO] ?? 0)}/24` });
      });
      succeeded(await lab.workspace.nx(run));
    },
    LONG,
  );

  it(
    'that answers with another host key is not taken for the guest',
    async () => {
      await lab.shell(NOTES[TWO] ?? 0, 'rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh');
      const { code, output } = await lab.workspace.nx(['run', 'notes:verify', '-c', TWO, '--output-style=static']);
      expect(code).toBe(1);
      expect(output).toMatch(/host key of [^\n]+ has changed/);
    },
    LONG,
  );
});
