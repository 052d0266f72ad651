import { z } from 'zod';
import { CommandError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Census } from '../../engine/service.ts';
import { answer, ask } from './erlang.ts';

/** `messages` is null for a queue that does not answer, or is down: its files could not be read. */
const queues = z.array(z.strictObject({ vhost: z.string(), name: z.string(), messages: z.int().min(0).nullable() }));

/**
 * What a queue tells of itself counts unacknowledged messages too, but of a quorum queue it is a few seconds old, and 0 after a start; what
 * its leader says counts those that are ready, once there is a leader. The greater is the truth.
 */
const EXPRESSION = `Name = fun(Queue) -> element(4, amqqueue:get_name(Queue)) end,
 Ready = fun Ask(Queue, Tries) -> case catch rabbit_amqqueue:stat(Queue) of {ok, N, _} when is_integer(N) -> N;
   _ when Tries > 0 -> timer:sleep(500), Ask(Queue, Tries - 1); _ -> null end end,
 Count = fun(Queue) -> case catch rabbit_amqqueue:info(Queue, [messages]) of [{messages, N}] when is_integer(N) ->
   case Ready(Queue, 8) of null -> null; M -> max(N, M) end; _ -> null end end,
 lists:append([[#{vhost => Vhost, name => Name(Queue), messages => Count(Queue)} || Queue <- rabbit_amqqueue:list(Vhost)] ++
   [#{vhost => Vhost, name => Name(Queue), messages => null} || Queue <- rabbit_amqqueue:list_down(Vhost)] || Vhost <- rabbit_vhost:list_names()])`;

/** Messages of every queue of every virtual host, those that are ready and those that wait for an acknowledgement. */
export function census(): Fact<Census> {
  return {
    name: 'messages of all queues',
    command: ask(EXPRESSION),
    parse(result) {
      const found = answer(result, queues);
      const down = found.filter(({ messages }) => messages === null);
      if (down.length > 0) {
        throw new CommandError(`queues that are down: ${down.map(nameOf).join(', ')}`, { next: 'their errors: /var/log/rabbitmq' });
      }
      const entries = found.map((queue) => ({ kind: 'queue', name: nameOf(queue), count: queue.messages ?? 0, of: 'messages' }));
      return { entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)), proves: 'every queue is up' };
    },
  };
}

function nameOf({ vhost, name }: z.infer<typeof queues>[number]): string {
  return `${vhost}: ${name}`;
}
