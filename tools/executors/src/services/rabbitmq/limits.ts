import { InputError } from '../../engine/errors.ts';
import { SKIP_TRIAL, type Trial } from '../trial.ts';
import { type Look, showBytes } from './resources.ts';

/** The limits of a node in bytes, as RabbitMQ itself reads them out of its files; nothing where it has none. */
export type Limits = { readonly memory: number | undefined; readonly disk: number | undefined };

/** Erlang that writes down what {@link limitsOf} reads. */
export const WRITE_LIMITS =
  'file:write_file("limits", io_lib:format("memory=~w~ndisk=~w~n", [vm_memory_monitor:get_memory_limit(), rabbit_disk_monitor:get_disk_free_limit()]))';

/** The limits that a node would have, by what one that was tried with its file said. */
export function limitsOf(trial: Trial): Limits {
  const said = trial.state === 'taken' ? trial.said : '';
  const limit = (name: string) => {
    const digits = new RegExp(`^${name}=(\\d{1,15})$`, 'm').exec(said)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  return { memory: limit('memory'), disk: limit('disk') };
}

/**
 * A limit that the node is beyond already blocks every publisher as soon as it runs with it. One that is beyond the limit that it has now is
 * not made worse by the same limit or a better one.
 *
 * @throws InputError
 */
export function refuseBlocking(trial: Trial, look: Look | null): void {
  const { memory, disk } = limitsOf(trial);
  const used = known(look?.memory.used);
  const most = known(look?.memory.limit);
  const free = known(look?.disk.free);
  const least = known(look?.disk.limit);
  const reasons: string[] = [];
  if (memory !== undefined && used > memory && !(used > most && memory >= most))
    reasons.push(`the node uses ${showBytes(used)} of memory, and the limit would be ${showBytes(memory)} (vm_memory_high_watermark)`);
  if (disk !== undefined && free < disk && !(free < least && disk <= least))
    reasons.push(`the disk has ${showBytes(free)} free, and the limit would be ${showBytes(disk)} (disk_free_limit)`);
  if (reasons.length === 0) return;
  throw new InputError(`RabbitMQ would block all publishers with these settings, and none of them was written: ${reasons.join('; ')}`, {
    next: `correct the limit in container.json, then run the same command again; if it will not come to that, as where a restart frees memory: ${SKIP_TRIAL}`,
  });
}

/** Nothing is more or less than what the node does not know. */
function known(bytes: number | string | undefined): number {
  return typeof bytes === 'number' ? bytes : Number.NaN;
}
