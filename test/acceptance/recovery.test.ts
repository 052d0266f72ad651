import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converge, expectConverged } from '../e2e/expectations.ts';
import { ended, nxEnvironment, REPOSITORY, type Workspace } from '../e2e/workspace.ts';
import { Data, everywhere } from './data.ts';
import { startDeployed } from './deployed.ts';
import { CONTAINERS, dataset, discard } from './environment.ts';
import { instances } from './looking.ts';
import { machine } from './machine.ts';

/** What docs/recovery.md tells people to type at 3 a.m.: one night on which all of it is typed. */

const PAGE = readFileSync(join(REPOSITORY, 'docs/recovery.md'), 'utf8');
/** Commands of the page that were typed. */
const typed = new Set<string>();

let workspace: Workspace;
let data: Data;
let b: string;
let redis: string;

beforeAll(async () => {
  ({ workspace } = await startDeployed());
  data = new Data(workspace);
  redis = dataset(workspace, 'redis');
  await data.write('of-a');
  await machine.zfs('set', 'quota=6G', 'refquota=5G', redis);
  b = await workspace.commit('release B, which breaks the data');
  await expectConverged(workspace.configure());
  await data.write('of-b');
  // Newer than the restore point.
  await workspace.incus('snapshot', 'create', workspace.instance('redis'), 'mine');
  await data.write('last-of-b');
});
afterAll(() => discard(workspace));

const rollback = (...flags: string[]) => workspace.run('zfs', 'rollback', ...flags);
const quotas = () => machine.zfs('get', '-H', '-o', 'property,value', '-s', 'local', 'quota,refquota', redis);
const kept = () => machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/mooring');
const running = CONTAINERS.map((container) => `acceptance-${container},RUNNING`).sort();
/** What B's state has in every service. */
const OF_B = everywhere('of-a', 'of-b', 'last-of-b');

/** Types a command of the page. `values` are what its placeholders stand for; on a terminal, `answer` is typed as well. */
async function type(command: string, values: Record<string, string> = {}, { flags = [] as string[], answer = '' } = {}): Promise<string> {
  expect(PAGE, `docs/recovery.md does not say ${command}`).toContain(command);
  typed.add(command);
  const words = command.replace('-c staging', `-c ${workspace.environment}`).replace(/<[^>]+>/g, (name) => values[name] ?? name);
  const args = [...words.split(' ').slice(1), ...flags];
  if (answer === '') return expectConverged(workspace.nx([...args, '--output-style=static']));
  const line = workspace.nxCommand(args).join(' ');
  const onTerminal = ['-c', `(printf '%s\\n' ${answer}; sleep 1) | script -qec "${line}" /dev/null`];
  return expectConverged(ended('sh', onTerminal, workspace.root, nxEnvironment()));
}

it('the log tells which release it was', async () => {
  expect(await type('nx run zfs:log -c staging')).toContain(b.slice(0, 12));
});

describe('the release that was just deployed broke the data', () => {
  it('the roll-back shows with --dry-run where it goes, how much was written since and what is kept where, and does nothing', async () => {
    const output = await expectConverged(rollback(`--before=${b}`, '--dry-run'));
    expect(output).toContain(`before ${b.slice(0, 12)} was deployed`);
    expect(output).toContain('kept as tank/mooring/acceptance-redis-');
    expect(output).toMatch(/snapshot-mine/);
    expect(output).toContain('dry run: nothing was changed');
    expect(await instances(workspace)).toEqual(running);
  });

  it('without a terminal and without --yes: nothing is done', async () => {
    const { code, output } = await rollback(`--before=${b}`);
    expect(code, output).toBe(1);
    expect(output).toContain('--yes');
    expect(await data.all()).toEqual(OF_B);
  });

  it('all four go back to one moment, losing nothing of A, once "yes" was typed on the terminal', async () => {
    const output = await type('nx run zfs:rollback -c staging --before=<its sha>', { '<its sha>': b }, { answer: 'yes' });
    expect(output).toContain('Type yes to go on');
    for (const container of CONTAINERS) expect(output).toMatch(new RegExp(`${container}: down for [\\d.]+ s`));
    expect(await data.all()).toEqual(everywhere('of-a'));
    expect(await instances(workspace)).toEqual(running);
  });

  it('what was left is kept, one data set for each container, with the newer snapshots, and is listed', async () => {
    const names = await kept();
    for (const container of CONTAINERS)
      expect(names).toContainEqual(expect.stringMatching(new RegExp(`^tank/mooring/acceptance-${container}-\\d{8}T\\d{6}Z$`)));
    const left = names.find((name) => name.startsWith('tank/mooring/acceptance-redis-'));
    expect(await machine.zfs('list', '-H', '-o', 'name', '-t', 'snapshot', String(left))).toContain(`${left}@snapshot-mine`);
    expect(await type('nx run zfs:status -c staging')).toMatch(/^PRESERVED STATE +LEFT AT/m);
  });

  it('the live data set stands on nothing else and has its quotas', async () => {
    expect(await quotas()).toEqual(['quota\t6G', 'refquota\t5G']);
    const [origin] = await machine.zfs('get', '-H', '-o', 'value', 'origin', redis);
    expect(origin).not.toContain('tank/mooring/');
  });

  it("Incus lists no snapshot that is not there: its 'mine' has gone with the preserved state", async () => {
    expect(await workspace.incus('snapshot', 'list', workspace.instance('redis'), '--format=csv')).not.toContain('mine');
    await workspace.incus('snapshot', 'create', workspace.instance('redis'), 'mine');
    await workspace.incus('snapshot', 'delete', workspace.instance('redis'), 'mine');
  });
});

it("it was a mistake: forward again, to B's last row", async () => {
  await type('nx run zfs:rollback -c staging --undo', {}, { flags: ['--yes'] });
  expect(await data.all()).toEqual(OF_B);
  expect(await instances(workspace)).toEqual(running);
  expect(await quotas()).toEqual(['quota\t6G', 'refquota\t5G']);
});

it('and the next deploy goes on from there', async () => {
  await workspace.commit('release C');
  expect(await converge(workspace)).toContain('cut pre-deploy-');
  expect(await data.all()).toEqual(OF_B);
});

it('once more back, of one container, with --again', async () => {
  expect(PAGE).toContain('`--again`');
  await type('nx run postgres:rollback -c staging --before=<sha>', { '<sha>': b }, { flags: ['--yes', '--again'] });
  expect(await data.all()).toEqual({ ...OF_B, rows: ['of-a'] });
});

it('by name, from the list; and "with the settings of that time" is configured again', async () => {
  const list = await expectConverged(workspace.run('zfs', 'snapshots'));
  const name = `pre-deploy-${b.slice(0, 12)}`;
  expect(list).toContain(name);
  const plan = await type('nx run zfs:rollback -c staging --to=<name>', { '<name>': name }, { flags: ['--again', '--dry-run'] });
  for (const container of CONTAINERS) expect(plan).toContain(`kept as tank/mooring/acceptance-${container}-`);
  await expectConverged(workspace.run('redis', 'rollback', `--to=${name}`, '--again', '--yes'));
  expect((await data.all()).keys).toEqual(['of-a']);
  await type('nx run-many -t configure -c staging', {}, { flags: ['--lease-wait=90s'] });
  expect((await data.all()).keys).toEqual(['of-a']);
});

it('is that restore point any good?', async () => {
  expect(await type('nx run postgres:drill -c staging')).toContain('can be restored');
});

it('a preserved state can be mounted and read', async () => {
  const [kept = ''] = (await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/mooring')).filter((name) => name.includes('redis'));
  const command = 'mount -t zfs -o ro <dataset> /mnt';
  expect(PAGE).toContain(command);
  expect(await machine.sh(`${command.replace('<dataset>', kept)}; ls /mnt/rootfs/var/lib/redis; umount /mnt`)).toContain('appendonlydir');
});

it('what roll-backs left is listed, and only what is named is destroyed', async () => {
  const before = await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/mooring');
  const output = await type('nx run zfs:prune -c staging --preserved');
  for (const name of before.slice(1)) expect(output).toContain(name);
  expect(await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/mooring')).toEqual(before);
});

it('in place, naming what is lost', async () => {
  const release = await workspace.commit('release D');
  await expectConverged(workspace.run('redis', 'configure'));
  expect(PAGE).toContain('--in-place --discard-newer=present');
  await expectConverged(workspace.run('redis', 'rollback', `--before=${release}`, '--in-place', '--discard-newer=present', '--yes'));
  expect((await data.all()).keys).toEqual(['of-a']);
});

it('by hand, on the host, without Nx', async () => {
  const [block = ''] = /## By hand[\s\S]*?```sh\n([\s\S]*?)```/.exec(PAGE)?.slice(1) ?? [];
  expect(block).toContain('zfs promote tank/incus/containers/c1');
  const put = (text: string) => machine.run('incus', ['exec', 'c1', '-T', '--', 'sh', '-euc', `echo ${text} >/root/note; sync`]);
  await machine.sh('incus launch -q mooring-services c1 --profile veza-data </dev/null');
  await put('before');
  await machine.zfs('snapshot', 'tank/incus/containers/c1@good');
  await put('after');
  await machine.sh(block.replaceAll('<snapshot>', 'good').replaceAll(/^(incus .*)$/gm, '$1 </dev/null'));
  expect(await machine.run('incus', ['exec', 'c1', '-T', '--', 'cat', '/root/note'])).toBe('before\n');
});

it('no command of the page was left out', () => {
  const commands = [...PAGE.matchAll(/`(nx run(?:-many)? [^`]+)`/g)].map(([, command]) => command as string);
  expect(commands.filter((command) => !typed.has(command))).toEqual([]);
});
