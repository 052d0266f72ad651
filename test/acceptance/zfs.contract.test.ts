import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandResult } from '../../tools/executors/src/engine/command.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import { openHost } from '../../tools/executors/src/hosts/index.ts';
import { destroyFailure, destroyOnZfs } from '../../tools/executors/src/platforms/zfs/commands.ts';
import { datasetsCommand, parseDatasets, type ZfsDataset, zpoolsFact } from '../../tools/executors/src/platforms/zfs/facts.ts';
import { ALIAS, machine, SSH_CONFIG } from './machine.ts';

/** What the parsers of `platforms/zfs` take for granted, asked of the real tools. */

const name = (digit: string) => `pre-deploy-${digit.repeat(40)}`;
const [one, two, three, four] = ['1', '2', '3', '4'].map(name) as [string, string, string, string];
const ROOT = 'tank/contract';
let host: OpenHost;

beforeAll(async () => {
  await machine.reset('ready');
  host = await openHost({ host: ALIAS, sshConfig: SSH_CONFIG });
  await machine.sh(`zfs create -o mountpoint=none ${ROOT}; zfs create ${ROOT}/a; zfs create ${ROOT}/b
for name in ${one} ${two} ${three} ${four}; do zfs snapshot -o mooring:release=$name ${ROOT}/a@$name ${ROOT}/b@$name; done`);
});
afterAll(() => host?.close());

async function ask(...commands: Parameters<OpenHost['run']>[0]): Promise<CommandResult[]> {
  return host.run(commands);
}

async function read(...datasets: string[]) {
  const [pools, listing] = (await ask(zpoolsFact.command, datasetsCommand(datasets))) as [CommandResult, CommandResult];
  return parseDatasets(listing, datasets, zpoolsFact.parse(pools));
}

const destroy = async (dataset: string, ...names: string[]) => {
  const [result] = (await ask(destroyOnZfs(dataset, names))) as [CommandResult];
  return { code: result.code, failure: destroyFailure(result, dataset) };
};

describe('zpool list', () => {
  it('tells the pools that are imported', async () => {
    const [result] = (await ask(zpoolsFact.command)) as [CommandResult];
    expect(zpoolsFact.parse(result)).toEqual([
      expect.objectContaining({ name: 'dozer', health: 'ONLINE' }),
      expect.objectContaining({ name: 'tank', health: 'ONLINE' }),
    ]);
  });
});

describe('zfs get', () => {
  it('tells snapshots in the order of their making, marks with their source, holds and clones', async () => {
    await machine.sh(`zfs hold kept ${ROOT}/a@${two}; zfs clone ${ROOT}/a@${three} ${ROOT}/clone`);
    const a = (await read(`${ROOT}/a`)).get(`${ROOT}/a`) as ZfsDataset;
    expect(a.snapshots.map((snapshot) => snapshot.name)).toEqual([one, two, three, four]);
    const txgs = a.snapshots.map(({ createtxg }) => createtxg);
    expect(txgs).toEqual([...txgs].sort((x, y) => x - y));
    expect(new Set(txgs).size).toBe(4);
    expect(a.snapshots.map(({ holds }) => holds)).toEqual([0, 1, 0, 0]);
    expect(a.snapshots.map(({ clones }) => clones)).toEqual([[], [], [`${ROOT}/clone`], []]);
    expect(a.snapshots[0]?.marks.release).toEqual({ value: one, source: 'local' });
    await machine.sh(`zfs release kept ${ROOT}/a@${two}; zfs destroy ${ROOT}/clone`);
  });

  it('a mark that is set on the dataset is inherited by its snapshots, and says so', async () => {
    await machine.sh(`zfs set mooring:set=somebody ${ROOT}/b`);
    const b = (await read(`${ROOT}/b`)).get(`${ROOT}/b`) as ZfsDataset;
    expect(b.snapshots[0]?.marks.set).toEqual({ value: 'somebody', source: `inherited from ${ROOT}/b` });
    await machine.sh(`zfs inherit mooring:set ${ROOT}/b`);
  });

  it('one dataset that does not exist is absent, the others are told all the same', async () => {
    const listing = await read(`${ROOT}/none`, `${ROOT}/a`);
    expect(listing.get(`${ROOT}/none`)).toBe('absent');
    expect(listing.get(`${ROOT}/a`)).toMatchObject({ name: `${ROOT}/a` });
  });

  it('children and their snapshots are not taken for the dataset', async () => {
    await machine.sh(`zfs create ${ROOT}/a/child; zfs snapshot ${ROOT}/a/child@other`);
    const a = (await read(`${ROOT}/a`)).get(`${ROOT}/a`) as ZfsDataset;
    expect(a.children).toEqual([`${ROOT}/a/child`]);
    expect(a.snapshots).toHaveLength(4);
    await machine.sh(`zfs destroy -r ${ROOT}/a/child`);
  });
});

describe('zfs snapshot', () => {
  it('of several datasets: one createtxg; where one is missing, none is cut', async () => {
    await machine.sh(`zfs snapshot ${ROOT}/a@x ${ROOT}/b@x`);
    const txgs = await machine.zfs('get', '-Hp', '-o', 'value', 'createtxg', `${ROOT}/a@x`, `${ROOT}/b@x`);
    expect(new Set(txgs).size).toBe(1);
    expect((await machine.attempt(`zfs snapshot ${ROOT}/a@y ${ROOT}/none@y`)).code).not.toBe(0);
    expect((await machine.attempt(`zfs list ${ROOT}/a@y`)).output).toContain('does not exist');
    await machine.sh(`zfs destroy ${ROOT}/a@x; zfs destroy ${ROOT}/b@x`);
  });
});

describe('zfs destroy of a list', () => {
  const left = async () => ((await read(`${ROOT}/a`)).get(`${ROOT}/a`) as ZfsDataset).snapshots.map((snapshot) => snapshot.name);

  it('with a held one: fails, names it, and has destroyed none', async () => {
    await machine.sh(`zfs hold kept ${ROOT}/a@${two}`);
    const { code, failure } = await destroy(`${ROOT}/a`, one, two);
    expect(code).not.toBe(0);
    expect([...failure.byName.keys()]).toEqual([two]);
    expect(failure.byName.get(two)).toMatch(/held/);
    expect(await left()).toEqual([one, two, three, four]);
    await machine.sh(`zfs release kept ${ROOT}/a@${two}`);
  });

  it('with a cloned one: fails, names it, and has destroyed none', async () => {
    await machine.sh(`zfs clone ${ROOT}/a@${three} ${ROOT}/clone`);
    const { code, failure } = await destroy(`${ROOT}/a`, one, three);
    expect(code).not.toBe(0);
    expect([...failure.byName.keys()]).toEqual([three]);
    expect(await left()).toEqual([one, two, three, four]);
    await machine.sh(`zfs destroy ${ROOT}/clone`);
  });

  it('those that are gone are no failure of their own', async () => {
    expect((await destroy(`${ROOT}/a`, one)).code).toBe(0);
    const { failure } = await destroy(`${ROOT}/a`, one);
    expect(failure.gone).toBe(true);
    expect(await left()).toEqual([two, three, four]);
  });

  it('some of which are gone: the others go', async () => {
    expect((await destroy(`${ROOT}/a`, one, two)).code).toBe(0);
    expect(await left()).toEqual([three, four]);
  });
});

describe('a user without permission', () => {
  it('is told so by ZFS in the words that are looked for', async () => {
    const { code, output } = await machine.attempt(`zfs snapshot ${ROOT}/a@mine`, 'deploy');
    expect(code).not.toBe(0);
    expect(output).toMatch(/permission denied/i);
  });
});
