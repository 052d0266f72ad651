import type { Fact } from '../../engine/fact.ts';
import { shellProgram } from '../../shell/program.ts';
import { type Trial, trial } from '../trial.ts';
import { type FileName, paths, UNIT } from './files.ts';
import { WRITE_LIMITS } from './limits.ts';
import { pick } from './start.ts';

/** Exit code of Erlang, which conf-trial.sh knows, once RabbitMQ is ready, which no failure has. */
const READY = 42;
/** And once it is, but takes no queue. */
const NO_QUEUE = 43;

/**
 * What the booted node is asked before it ends. Some settings are looked at only when a queue is declared (`queue_master_locator`): the node
 * looks well, and no application can work. A version of RabbitMQ without the function has not been asked.
 */
const ASKED = `catch ${WRITE_LIMITS},
Declared = (catch case rabbit_vhost:list_names() of
  [Vhost | _] -> rabbit_amqqueue:declare(rabbit_misc:r(Vhost, queue, <<"trial">>), true, false, [], none, <<"trial">>);
  [] -> {new, none}
end),
halt(case {rabbit_boot_state:get(), Declared} of
  {ready, {new, _}} -> ${READY};
  {ready, {'EXIT', {undef, _}}} -> ${READY};
  {ready, {'EXIT', {Why, _}}} -> file:write_file("refused", io_lib:format("no queue can be declared: ~0tp", [Why])), ${NO_QUEUE};
  {ready, Why} -> file:write_file("refused", io_lib:format("no queue can be declared: ~0tp", [Why])), ${NO_QUEUE};
  _ -> 1
end).
`;

/** Whether RabbitMQ starts with a rabbitmq.conf; five seconds on an idle machine, and only where the file would change. */
export function confTrial({ conf, env, epmd }: Readonly<Record<FileName, string>>): Fact<Trial> {
  return trial({
    name: `trial of ${paths.conf}`,
    path: paths.conf,
    content: conf,
    program: `${pick()}\n${shellProgram(import.meta.url, 'conf-trial.sh')}`,
    parameters: [paths.conf, UNIT, ASKED],
    seconds: 90,
    ports: { unit: UNIT, files: { [paths.env]: env, [paths.epmd]: epmd } },
  });
}
