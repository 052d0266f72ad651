import { type Command, type CommandResult, read } from '../../engine/command.ts';
import { mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { PreservedUse } from '../../snapshots/backend.ts';
import { PRESERVED_PROPERTY, type PreservedMark, type PreservedState, parsePreserved } from '../../snapshots/preserved.ts';
import { absentOnes, gather, lines, number, type Properties, text, unknownLine, zfsFailed } from './facts.ts';

/** Where a dataset comes from, and what a clone in its place must be given. */
export type Lineage = {
  readonly name: string;
  /** The snapshot that it is a clone of. */
  readonly origin: string | undefined;
  /** Nothing when it is not encrypted. */
  readonly encryptionRoot: string | undefined;
  readonly keyLoaded: boolean;
  /** Bytes that it and its snapshots use, and nothing else does. */
  readonly used: number;
  /** Bytes that could still be written. */
  readonly available: number;
  /** Properties set on the dataset itself (or received), ours left out: what a clone does not get from its origin. */
  readonly local: Readonly<Record<string, string>>;
  /** The mark of a roll-back that was interrupted before it renamed the dataset, or of an undo that was just after it. */
  readonly kept: PreservedMark | undefined;
};

/** Lineages by dataset; `absent` is what ZFS said. */
export type Lineages = ReadonlyMap<string, Lineage | 'absent'>;

/** They come with the encryption root or are fixed at creation: `zfs clone -o` refuses them. */
const NOT_GIVEN = new Set(['encryption', 'keylocation', 'keyformat', 'pbkdf2iters', 'volsize', PRESERVED_PROPERTY]);

/** `zfs get -p` prints their `none` as 0, which `zfs clone` and `zfs set` refuse (OpenZFS 2.3.9). */
const LIMITS = new Set(['quota', 'refquota', 'reservation', 'refreservation']);

/** All properties of the datasets in one process. */
export function lineagesCommand(datasets: readonly string[]): Command {
  return read(['zfs', 'get', '-Hp', '-o', 'name,property,value,source', 'all', ...new Set(datasets)]);
}

/** @throws CommandError when ZFS failed for any reason but that one of the datasets does not exist */
export function parseLineages(result: CommandResult, datasets: readonly string[]): Lineages {
  const absent = result.code === 0 ? [] : absentOnes(result, datasets);
  const things = gather(result.stdout);
  return new Map(
    datasets.map((name) => {
      const own = things.get(name);
      if (own === undefined && !absent.includes(name)) throw unknownLine('zfs get', `nothing of ${name}`);
      return [name, own === undefined ? 'absent' : lineageOf(name, own)];
    }),
  );
}

function lineageOf(name: string, own: Properties): Lineage {
  const optional = (property: string) => {
    const value = own.get(property)?.value;
    return value === undefined || value === '-' || value === '' ? undefined : value;
  };
  const local = [...own].filter(([property, { source }]) => (source === 'local' || source === 'received') && !NOT_GIVEN.has(property));
  const mark = own.get(PRESERVED_PROPERTY);
  return {
    name,
    origin: optional('origin'),
    encryptionRoot: optional('encryptionroot'),
    keyLoaded: optional('keystatus') !== 'unavailable',
    used: number(name, own, 'used'),
    available: number(name, own, 'available'),
    local: Object.fromEntries(local.map(([property, { value }]) => [property, LIMITS.has(property) && value === '0' ? 'none' : value])),
    kept: mark?.source === 'local' ? parsePreserved(text(name, own, PRESERVED_PROPERTY)) : undefined,
  };
}

/**
 * The states that roll-backs kept, wherever they are in the pools. What carries the mark at its live name is not one:
 * it is about to be kept, or was just brought back.
 *
 * @param zpools ZFS pools that are imported
 */
export function preservedFact(zpools: readonly string[]): Fact<PreservedState[]> {
  return {
    name: 'preserved states',
    command: read([
      'zfs',
      'get',
      '-Hp',
      '-r',
      '-t',
      'filesystem',
      '-s',
      'local',
      '-o',
      'name,value',
      PRESERVED_PROPERTY,
      ...new Set(zpools),
    ]),
    parse(result) {
      if (result.code !== 0) throw zfsFailed(result, 'could not list the preserved states');
      return lines(result.stdout).flatMap((line) => {
        const [dataset, value, ...more] = line.split('\t');
        if (dataset === undefined || value === undefined || more.length > 0) throw unknownLine('zfs get', line);
        const mark = parsePreserved(value);
        return mark === undefined || mark.dataset === dataset ? [] : [{ dataset, mark }];
      });
    },
  };
}

/** What destroying preserved states would give back, and whether one of them may be all that is left. */
export function usesFact(states: readonly PreservedState[]): Fact<ReadonlyMap<string, PreservedUse>> {
  const names = [...new Set(states.flatMap(({ dataset, mark }) => [dataset, mark.dataset]))];
  return {
    name: 'what preserved states use',
    command: lineagesCommand(names),
    parse(result) {
      const lineages = parseLineages(result, names);
      const of = (name: string) => {
        const found = lineages.get(name);
        return found === 'absent' ? undefined : found;
      };
      return new Map(
        states.map(({ dataset, mark }) => {
          const live = of(mark.dataset);
          const mayBeLastCopy = live === undefined || (live.origin?.startsWith(`${dataset}@`) ?? false);
          return [dataset, { free: of(dataset)?.used, mayBeLastCopy }];
        }),
      );
    },
  };
}

/** Bytes written to a dataset since one of its snapshots. */
export function writtenSince(dataset: string, snapshot: string): Fact<number> {
  return {
    name: `written since ${snapshot}`,
    command: read(['zfs', 'get', '-Hp', '-o', 'value', `written@${snapshot}`, dataset]),
    parse(result) {
      const value = mustSucceed(result, `ZFS did not report what was written to ${dataset} since ${snapshot}`).stdout.trim();
      if (!/^\d+$/.test(value)) throw unknownLine('zfs get', value);
      return Number(value);
    },
  };
}
