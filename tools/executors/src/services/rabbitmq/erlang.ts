import { z } from 'zod';
import { type Command, type CommandResult, read, script } from '../../engine/command.ts';
import { CommandError, mustSucceed } from '../../engine/errors.ts';
import { joinSecret, reveal, Secret } from '../../engine/secret.ts';
import { DISTRIBUTION_PORT, paths } from './files.ts';

/**
 * erl_call, which Debian's erlang-base ships, has the running node evaluate what is on its standard input: 5 ms, where
 * rabbitmqctl starts an Erlang of its own (0.4 s). The cookie is read from `$HOME/.erlang.cookie`: with `-c` it would be an
 * argument. By address, it needs neither epmd nor the name of the container. It ends with 0 when the evaluation fails and
 * prints nothing then, so what it prints decides.
 *
 * Each call gets a name of its own: with `-r` two calls of one second are called the same (its seed is the time), and the node
 * refuses the second. The names are few, as an Erlang node never forgets one (they are atoms).
 */
export const ERL_CALL = [
  'sh',
  '-c',
  'HOME=$0; export HOME; exec erl_call -h "mooring$(($$ % 1000))" "$@"',
  paths.home,
  '-address',
  `127.0.0.1:${DISTRIBUTION_PORT}`,
  '-timeout',
  '20',
] as const;

/** {@link ERL_CALL} for an expression on stdin, of which only what it prints comes back. */
export const EVALUATE = [...ERL_CALL, '-fetch_stdout', '-no_result_term', '-e'] as const;

/** An Erlang binary of a text's UTF-8 bytes. Numbers only: nothing in the text can end it. */
export function binary(text: string): string;
export function binary(text: Secret): Secret;
export function binary(text: string | Secret): string | Secret {
  const literal = `<<${[...Buffer.from(reveal(text))].join(',')}>>`;
  return text instanceof Secret ? new Secret(literal) : literal;
}

/**
 * The text for erl_call's stdin that prints what an expression gives, a map for JSON. A failure prints its kind only: the
 * whole of it could hold a password hash.
 */
export function printed(expression: string): string {
  const value = `try (fun() -> ${expression} end)() catch Class:Reason -> #{failed => [Class, ${kindOf('Reason')}]} end`;
  return `io:put_chars(base64:encode(rabbit_json:encode(${value}))).\n`;
}

/** Asks the running node. */
export function ask(expression: string): Command {
  return read(EVALUATE, { stdin: printed(expression), timeoutMs: 30_000 });
}

/** What {@link ask} was answered. @throws CommandError when the node could not be asked, could not answer or says something else */
export function answer<T>(result: CommandResult, schema: z.ZodType<T>): T {
  mustSucceed(result, 'the RabbitMQ node could not be asked', { next: 'systemctl status rabbitmq-server; rabbitmqctl status' });
  return decode(result.stdout, schema);
}

/** The value that {@link printed} stands for. @throws CommandError */
export function decode<T>(text: string, schema: z.ZodType<T>): T {
  const json = text.trim() === '' ? undefined : parseJson(Buffer.from(text, 'base64').toString('utf8'));
  const failed = z.strictObject({ failed: z.array(z.string()) }).safeParse(json);
  if (failed.success) {
    throw new CommandError(`the RabbitMQ node failed to answer: ${failed.data.failed.join(' ')}`, {
      next: 'rabbitmqctl status; a version of RabbitMQ that this was not tried on may lack a function that is called',
    });
  }
  const known = schema.safeParse(json);
  if (!known.success) throw new CommandError(`the RabbitMQ node gave an answer that is not known: ${z.prettifyError(known.error)}`);
  return known.data;
}

/**
 * Has the running node call functions that answer `ok`; the first that does not fails the command. What the node says of a
 * refusal goes to stderr; of a crash only its kind does, since the arguments may be secret.
 */
export function tell(...calls: readonly (Secret | string)[]): Command {
  const steps = joinSecret(
    calls.map((call) => joinSecret(['fun() -> ', call, ' end'])),
    ', ',
  );
  const stdin = joinSecret([
    'io:put_chars(try lists:foldl(fun(Call, ok) -> Call(); (_, Other) -> Other end, ok, [',
    steps,
    `]) of
 ok -> "done";
 {error, Text} when is_list(Text); is_atom(Text) -> io_lib:format("~0tp", [Text]);
 {error, Why} -> io_lib:format("~ts", [${kindOf('Why')}]);
 _ -> "unexpected answer"
catch Class:Reason -> io_lib:format("~ts ~ts", [Class, ${kindOf('Reason')}]) end).\n`,
  ]);
  return script('write', 'said=$("$@"); [ "$said" = done ] || { printf "RabbitMQ refused it: %s\\n" "$said" >&2; exit 1; }', EVALUATE, {
    stdin,
    timeoutMs: 60_000,
  });
}

/** As {@link tell}, for a node that may be stopped: then there is nobody to tell, and that is right. */
export function tellIfItRuns(call: string): Command {
  const { stdin = '' } = tell(call);
  return script('write', '"$@" >/dev/null 2>&1 || true', EVALUATE, { stdin, timeoutMs: 60_000 });
}

function kindOf(reason: string): string {
  const tuple = 'Tuple when is_tuple(Tuple), is_atom(element(1, Tuple)) -> element(1, Tuple)';
  return `case ${reason} of Kind when is_atom(Kind) -> Kind; ${tuple}; _ -> unexpected end`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
