import { z } from 'zod';
import type { CommandResult } from '../../engine/command.ts';
import { CommandError, UnhealthyError } from '../../engine/errors.ts';
import { fullness } from '../disk.ts';
import { answer, binary, printed } from './erlang.ts';
import { paths } from './files.ts';
import type { RabbitmqSettings } from './settings.ts';

/** A part of the memory limit from which on somebody has to see to it. */
const NEARLY_FULL = 0.85;
/** So many times the disk limit must be free. */
const ROOM = 2;

/** Bytes; a word where the node does not know them, or where there is no limit. */
const bytes = z.union([z.number(), z.string()]);

const about = z.strictObject({
  /** Raised alarms: `memory`, `disk`, `file_descriptor_limit`. */
  alarms: z.array(z.string()),
  /** In maintenance mode, in which the node takes no connections. */
  drained: z.boolean(),
  memory: z.strictObject({ used: bytes, limit: bytes }),
  disk: z.strictObject({ free: bytes, limit: bytes }),
  /** How many queues the virtual host may have, where it has them already. */
  queues: z.number().nullable(),
  /** Pattern of the queues that the user may read from; `null`: no permissions are set. */
  read: z.string().nullable(),
});

/** What a node says of itself, and df of its disk. */
export type Look = z.output<typeof about> & { readonly df: string };

/** What is put to the node; see {@link readLook}. */
export function aboutNode({ user, vhost }: RabbitmqSettings): string {
  return printed(`Vhost = ${binary(vhost)}, {Used, Limit} = vm_memory_monitor:get_memory_use(bytes),
 #{alarms => [case Alarm of {{resource_limit, What, _}, _} -> What; {What, _} when is_atom(What) -> What; _ -> other end || Alarm <- rabbit_alarm:get_alarms()],
   drained => rabbit_maintenance:is_being_drained_local_read(node()),
   memory => #{used => Used, limit => Limit},
   disk => #{free => rabbit_disk_monitor:get_disk_free(), limit => rabbit_disk_monitor:get_disk_free_limit()},
   queues => case rabbit_vhost_limit:is_over_queue_limit(Vhost) of {true, Most} -> Most; false -> null end,
   read => case [Set || Set <- rabbit_auth_backend_internal:list_user_permissions(${binary(user)}), proplists:get_value(vhost, Set) =:= Vhost] of
     [] -> null; [Set] -> proplists:get_value(read, Set) end}`);
}

/** Reads a look: a line of something else, one of df, and the node's answer. @throws CommandError */
export function readLook(result: CommandResult): Look {
  const [, df = '', said = ''] = result.stdout.split('\n');
  return { ...answer({ ...result, stdout: said }, about), df };
}

/**
 * What somebody has to see to though messages are taken; none when all is well.
 *
 * @throws UnhealthyError where the application cannot work at all; CommandError where it has no rights that are known
 */
export function shortages({ alarms, memory, disk, queues, read, df }: Look, { user, vhost }: RabbitmqSettings): string[] {
  const blocks = alarms.filter((alarm) => alarm === 'memory' || alarm === 'disk');
  if (blocks.length > 0) throw new UnhealthyError(`RabbitMQ blocks all publishers: low on ${blocks.join(' and ')}`);
  // The manual's pattern for nothing ("Access Control"), and the empty one, which means the same.
  const message = `RabbitMQ lets ${user} read from no queue of ${vhost}`;
  // A user or vhost that it does not have yet has no pattern at all.
  if (read === null) throw new CommandError(message);
  if (read === '' || read === '^$') throw new UnhealthyError(message);
  if (queues === 0) throw new UnhealthyError(`RabbitMQ lets nobody declare a queue on ${vhost}: its limit is 0 queues`);
  const [used, most, free, least] = [memory.used, memory.limit, disk.free, disk.limit].map((value) =>
    typeof value === 'number' ? value : Number.NaN,
  );
  return [
    ...(Number(used) > NEARLY_FULL * Number(most)
      ? [`${showBytes(used)} of ${showBytes(most)} of memory are used: at the limit it blocks publishers`]
      : []),
    ...(Number(free) < ROOM * Number(least) ? [`${showBytes(free)} of disk are free: below ${showBytes(least)} it blocks publishers`] : []),
    ...(df === '' ? [] : fullness(df, paths.data)),
    ...(alarms.includes('file_descriptor_limit') ? ['no file descriptors are left: new connections wait'] : []),
    ...(queues === null ? [] : [`${vhost} has the ${queues} queues that its limit allows: no more can be declared`]),
  ];
}

/** A number of bytes, for people. */
export function showBytes(size: number | undefined): string {
  const bytes = Number(size);
  return bytes < 1e10 ? `${Math.round(bytes / 1e6)} MB` : `${Math.round(bytes / 1e9)} GB`;
}
