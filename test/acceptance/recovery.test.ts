import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectConverged } from '../e2e/expectations.ts';
import { ended, nxEnvironment, REPOSITORY, type Workspace } from '../e2e/workspace.ts';
import { Data, everywhere } from './data.ts';
import { startDeployed } from './deployed.ts';
import { discard } from './environment.ts';
import { machine } from './machine.ts';

/** What docs/recovery.md tells people to type at 3 a.m.: one night on which all of it is typed. */

const PAGE = readFileSync(join(REPOSITORY, 'docs/recovery.md'), 'utf8');
/** Commands of the page that were typed. */
const typed = new Set<string>();

let workspace: Workspace;
let data: Data;
let b: string;

beforeAll(async () => {
  ({ workspace } = await startDeployed());
  data = new Data(workspace);
  await data.write('of-a');
  b = await workspace.commit('release B, which breaks the data');
  await expectConverged(workspace.configure());
  await data.write('of-b');
});
afterAll(() => discard(workspace));

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

it('the release that was just deployed broke the data: all four go back, once "yes" was typed on the terminal', async () => {
  const output = await type('nx run zfs:rollback -c staging --before=<its sha>', { '<its sha>': b }, { answer: 'yes' });
  expect(output).toContain('Type yes to go on');
  expect(await data.all()).toEqual(everywhere('of-a'));
});

it('what was left is listed', async () => {
  expect(await type('nx run zfs:status -c staging')).toMatch(/^KEPT STATE +LEFT AT/m);
});

it('it was a mistake: forward again; and once more back with --again', async () => {
  await type('nx run zfs:rollback -c staging --undo', {}, { flags: ['--yes'] });
  expect(await data.all()).toEqual(everywhere('of-a', 'of-b'));
  expect(PAGE).toContain('`--again`');
  await type('nx run postgres:rollback -c staging --before=<sha>', { '<sha>': b }, { flags: ['--yes', '--again'] });
  expect(await data.all()).toEqual({ ...everywhere('of-a', 'of-b'), rows: ['of-a'] });
});

it('by name, from the list', async () => {
  const list = await expectConverged(workspace.run('zfs', 'snapshots'));
  const [name = ''] = /pre-deploy-[0-9a-f]{12}/.exec(list) ?? [];
  await type('nx run zfs:rollback -c staging --to=<name>', { '<name>': name }, { flags: ['--yes', '--again'] });
  expect(await data.all()).toEqual(everywhere('of-a'));
});

it('"with the settings of that time": configured again', async () => {
  await type('nx run-many -t configure -c staging', {}, { flags: ['--lease-wait=90s'] });
  expect(await data.all()).toEqual(everywhere('of-a'));
});

it('is that restore point any good?', async () => {
  expect(await type('nx run postgres:drill -c staging')).toContain('can be restored');
});

it('a kept state can be mounted and read', async () => {
  const [kept = ''] = (await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/mooring')).filter((name) => name.includes('redis'));
  const command = 'mount -t zfs -o ro <dataset> /mnt';
  expect(PAGE).toContain(command);
  expect(await machine.sh(`${command.replace('<dataset>', kept)}; ls /mnt/rootfs/var/lib/redis; umount /mnt`)).toContain('appendonlydir');
});

it('what roll-backs left is listed, and only what is named is destroyed', async () => {
  const before = await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/mooring');
  const output = await type('nx run zfs:prune -c staging --kept');
  for (const name of before.slice(1)) expect(output).toContain(name);
  expect(await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/mooring')).toEqual(before);
});

it('in place, naming what is lost', async () => {
  const release = await workspace.commit('release C');
  await expectConverged(workspace.run('redis', 'configure'));
  expect(PAGE).toContain('--in-place --discard-newer=present');
  await expectConverged(workspace.run('redis', 'rollback', `--before=${release}`, '--in-place', '--discard-newer=present', '--yes'));
  expect((await data.all()).keys).toEqual(['of-a']);
});

it('by hand, on the host, without Nx', async () => {
  const [block = ''] = /## By hand[\s\S]*?```sh\n([\s\S]*?)```/.exec(PAGE)?.slice(1) ?? [];
  expect(block).toContain('zfs promote tank/incus/containers/c1');
  const put = (text: string) => machine.run('incus', ['exec', 'c1', '-T', '--', 'sh', '-euc', `echo ${text} >/root/note; sync`]);
  await machine.sh('incus launch -q mooring-base c1 --profile veza-data </dev/null');
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
