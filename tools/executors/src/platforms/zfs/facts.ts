import { type Command, type CommandResult, read } from '../../engine/command.ts';
import { commandFailed, lastLines, MooringError, SafetyError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { zpoolOf } from '../../snapshots/set.ts';
import { MARKS } from './properties.ts';

/** An imported pool. */
export type Zpool = {
  readonly name: string;
  readonly size: number;
  readonly allocated: number;
  readonly free: number;
  readonly health: string;
};

/** A property that is set by users, and where it comes from: `local`, `received`, `inherited from tank`. */
export type UserProperty = { readonly value: string; readonly source: string };

/** A snapshot of a dataset; sizes in bytes, creation in seconds since 1970. */
export type ZfsSnapshot = {
  readonly name: string;
  readonly createtxg: number;
  readonly creation: number;
  readonly used: number;
  readonly written: number;
  readonly holds: number;
  readonly clones: readonly string[];
  /** Our marks, by name without the prefix `mooring:`; only those that are there. */
  readonly marks: Readonly<Record<string, UserProperty>>;
};

/** A file system with its snapshots, oldest first. `written`: bytes since its newest snapshot. */
export type ZfsDataset = {
  readonly name: string;
  readonly used: number;
  readonly written: number;
  readonly snapshots: readonly ZfsSnapshot[];
  /** File systems beneath it. Incus makes none. */
  readonly children: readonly string[];
};

/** What is known of each dataset that was asked for. `absent` is what ZFS said, not what a failure looks like. */
export type ZfsListing = ReadonlyMap<string, ZfsDataset | 'absent'>;

/** The pools that are imported. */
export const zpoolsFact: Fact<Zpool[]> = {
  name: 'ZFS pools',
  command: read(['zpool', 'list', '-Hp', '-o', 'name,size,allocated,free,health']),
  parse(result) {
    if (result.code !== 0) throw zfsFailed(result, 'could not list the ZFS pools');
    return lines(result.stdout).map((line) => {
      const [name, size, allocated, free, health, ...more] = line.split('\t');
      if (name === undefined || health === undefined || more.length > 0) throw unknownLine('zpool list', line);
      return { name, size: bytes(size, line), allocated: bytes(allocated, line), free: bytes(free, line), health };
    });
  },
};

/**
 * Refuses pools that are not there or cannot be written. To ZFS a dataset of a pool that was not imported "does not
 * exist", exactly as one that never was: so this comes before any such answer is believed.
 *
 * @param needed datasets
 * @throws SafetyError naming the pool
 */
export function requirePools(pools: readonly Zpool[], needed: readonly string[]): void {
  for (const name of new Set(needed.map(zpoolOf))) {
    const pool = pools.find((one) => one.name === name);
    if (pool === undefined) {
      throw new SafetyError(`the ZFS pool ${name} is not imported: what is on it cannot be seen`, {
        next: `zpool import ${name}, on the host`,
      });
    }
    if (pool.health !== 'ONLINE' && pool.health !== 'DEGRADED') {
      throw new SafetyError(`the ZFS pool ${name} is ${pool.health}`, { next: `zpool status -v ${name}, on the host` });
    }
  }
}

const NATIVE = ['type', 'createtxg', 'creation', 'used', 'written', 'userrefs', 'clones'] as const;

/**
 * The given datasets with their snapshots, all in one process. `zfs get` and not `zfs list`, for only it tells where a
 * property comes from, and a mark counts only where it was set.
 */
export function datasetsCommand(datasets: readonly string[]): Command {
  const properties = [...NATIVE, ...Object.values(MARKS)].join(',');
  return read([
    'zfs',
    'get',
    '-Hp',
    '-d',
    '1',
    '-t',
    'filesystem,snapshot',
    '-o',
    'name,property,value,source',
    properties,
    ...new Set(datasets),
  ]);
}

/**
 * @throws SafetyError when a pool is missing; CommandError when ZFS failed for any reason but that one of the datasets
 *   does not exist; MooringError at a line that is not known
 */
export function parseDatasets(result: CommandResult, datasets: readonly string[], pools: readonly Zpool[]): ZfsListing {
  requirePools(pools, datasets);
  const absent = result.code === 0 ? [] : absentOnes(result, datasets);
  const things = gather(result.stdout);
  const listing = new Map<string, ZfsDataset | 'absent'>();
  for (const name of datasets) {
    const own = things.get(name);
    if (own === undefined && !absent.includes(name))
      throw new MooringError(`zfs get said nothing of ${name}, not even that it does not exist`);
    listing.set(name, own === undefined ? 'absent' : datasetOf(name, own, things));
  }
  const foreign = [...things.keys()].find(
    (name) => !datasets.some((one) => name === one || name.startsWith(`${one}@`) || name.startsWith(`${one}/`)),
  );
  if (foreign !== undefined) throw new MooringError(`zfs get reported ${foreign}, for which it was not asked`);
  return listing;
}

/** The error for a failed `zfs` or `zpool`. */
export function zfsFailed(result: CommandResult, message: string): MooringError {
  if (result.code === 127)
    return commandFailed(result, `${message}: no ZFS tools on this host`, {
      next: 'install OpenZFS on the host (Debian: apt-get install zfsutils-linux)',
    });
  if (/permission denied/i.test(result.stderr)) {
    const what = 'snapshot,destroy,mount,hold,userprop';
    return commandFailed(result, `${message}: the user may not`, {
      next: `as root on the host: zfs allow -u <user> ${what} <dataset>, where <dataset> is the one that Incus's containers lie in`,
    });
  }
  return commandFailed(result, message);
}

/** The datasets that ZFS says do not exist. Any other word on stderr is a failure. */
export function absentOnes(result: CommandResult, datasets: readonly string[]): string[] {
  return lines(result.stderr).map((line) => {
    const name = /^cannot open '(.*)': dataset does not exist$/.exec(line)?.[1];
    if (name === undefined || !datasets.includes(name)) throw zfsFailed(result, 'could not read the ZFS datasets');
    return name;
  });
}

/** Properties of one dataset or snapshot, by name. */
export type Properties = Map<string, UserProperty>;

/** Sorts the lines of `zfs get -o name,property,value,source` by what they are about. @throws MooringError at a line that is not known */
export function gather(stdout: string): Map<string, Properties> {
  const things = new Map<string, Properties>();
  for (const line of lines(stdout)) {
    const [name, property, value, source, ...more] = line.split('\t');
    if (name === undefined || property === undefined || value === undefined || source === undefined || more.length > 0)
      throw unknownLine('zfs get', line);
    const properties = things.get(name) ?? new Map();
    if (properties.has(property)) throw unknownLine('zfs get', line);
    things.set(name, properties.set(property, { value, source }));
  }
  return things;
}

function datasetOf(name: string, own: Properties, things: ReadonlyMap<string, Properties>): ZfsDataset {
  expectType(name, own, 'filesystem');
  const snapshots = [...things]
    .filter(([thing]) => thing.startsWith(`${name}@`))
    .map(([thing, properties]) => snapshotOf(thing, properties));
  return {
    name,
    used: number(name, own, 'used'),
    written: number(name, own, 'written'),
    snapshots: snapshots.sort((a, b) => a.createtxg - b.createtxg),
    children: [...things.keys()].filter((thing) => thing.startsWith(`${name}/`) && !thing.includes('@')),
  };
}

function snapshotOf(fullName: string, properties: Properties): ZfsSnapshot {
  expectType(fullName, properties, 'snapshot');
  const clones = text(fullName, properties, 'clones');
  const marks = Object.entries(MARKS).flatMap(([key, property]) => {
    const found = properties.get(property);
    return found === undefined || found.source === '-' ? [] : [[key, found] as const];
  });
  return {
    name: fullName.slice(fullName.indexOf('@') + 1),
    createtxg: number(fullName, properties, 'createtxg'),
    creation: number(fullName, properties, 'creation'),
    used: number(fullName, properties, 'used'),
    written: number(fullName, properties, 'written'),
    holds: number(fullName, properties, 'userrefs'),
    // OpenZFS prints `-` or nothing, by its version, where there is none.
    clones: clones === '-' || clones === '' ? [] : clones.split(','),
    marks: Object.fromEntries(marks),
  };
}

function expectType(name: string, properties: Properties, type: string): void {
  if (text(name, properties, 'type') !== type) throw new MooringError(`${name} is a ${text(name, properties, 'type')}, expected a ${type}`);
}

/** A property that must be there. @throws MooringError when it is not */
export function text(name: string, properties: Properties, property: string): string {
  const found = properties.get(property);
  if (found === undefined) throw new MooringError(`zfs get did not report ${property} of ${name}`);
  return found.value;
}

/** A property that must be a whole number. @throws MooringError when it is not */
export function number(name: string, properties: Properties, property: string): number {
  return bytes(text(name, properties, property), `${name} ${property}`);
}

function bytes(value: string | undefined, where: string): number {
  const parsed = /^\d+$/.test(value ?? '') ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(parsed)) throw new MooringError(`'${value}' is not a number that is known (${where})`);
  return parsed;
}

/** The lines of an output, empty ones left out. */
export function lines(output: string): string[] {
  return output.split('\n').filter((line) => line !== '');
}

/** The error for a line that a parser does not know. */
export function unknownLine(tool: string, line: string): MooringError {
  return new MooringError(`${tool} printed a line that is not known: ${JSON.stringify(lastLines(line, 1))}`);
}
