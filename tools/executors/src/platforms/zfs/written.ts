import { read } from '../../engine/command.ts';
import { MooringError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { requireSetName } from '../../snapshots/name.ts';
import { zfsFailed } from './facts.ts';

/** Bytes by `<dataset>@<snapshot>`; what has no such snapshot is not in it. */
export type WrittenSince = ReadonlyMap<string, number>;

/**
 * What was written to each dataset since each snapshot of it (`written@<snapshot>`, zfsprops(7)): what going back to it would
 * take away. All in one process.
 *
 * @param names snapshots, without their datasets
 */
export function writtenSinceFact(datasets: readonly string[], names: readonly string[]): Fact<WrittenSince> {
  const properties = names.map((name) => `written@${requireSetName(name)}`);
  return {
    name: 'written since',
    command: read(['zfs', 'get', '-Hp', '-o', 'name,property,value', properties.join(','), ...datasets]),
    parse(result) {
      if (result.code !== 0) throw zfsFailed(result, 'could not read what was written since the restore points');
      const lines = result.stdout.split('\n').filter(Boolean);
      return new Map(
        lines.flatMap((line) => {
          const [, dataset = '', name = '', value = ''] = /^([^\t]+)\twritten@([^\t]+)\t(-|\d+)$/.exec(line) ?? [];
          if (!datasets.includes(dataset) || !names.includes(name))
            throw new MooringError(`zfs get printed a line that is not known: ${JSON.stringify(line)}`);
          return value === '-' ? [] : [[`${dataset}@${name}`, Number(value)] as const];
        }),
      );
    },
  };
}
