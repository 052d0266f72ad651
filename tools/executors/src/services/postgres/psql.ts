import { type Command, script } from '../../engine/command.ts';
import { joinSecret, reveal, Secret } from '../../engine/secret.ts';
import { shellProgram } from '../../shell/program.ts';
import { NO_OPTIONS, OUR_OPTIONS } from './session.ts';

/** Exit code of {@link psql} when there is no server to ask (EX_UNAVAILABLE of sysexits.h). */
export const NOT_RUNNING = 69;

/** psql(1), "Exit Status": the connection to the server went bad. */
export const NOT_CONNECTED = 2;

/** setpriv(1) arguments; not runuser, whose PAM session takes 4 ms. */
export const AS_POSTGRES: readonly string[] = ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--'];

/**
 * Finds the one cluster that there is and asks it as `postgres` over its socket. psql itself, not Debian's wrapper of that name (a Perl
 * program, 30 ms).
 */
function findAndAsk(): string {
  return `${shellProgram(import.meta.url, 'find-server.sh')}
${OUR_OPTIONS}
exec setpriv ${AS_POSTGRES.join(' ')} \\
  "/usr/lib/postgresql/$version/bin/psql" -X -w -A -t -q -v ON_ERROR_STOP=1 -h "$socket" -p "$port"`;
}

/**
 * SQL for the running server, as superuser `postgres` in the database `postgres`; it travels on stdin.
 * Ends with {@link NOT_RUNNING}, {@link NOT_CONNECTED}, or 3 at the first statement that fails.
 */
export function psql(effect: Command['effect'], sql: string | Secret, timeoutMs: number): Command {
  return script(effect, `${findAndAsk()} -d postgres`, [], { stdin: sql, timeoutMs });
}

/**
 * The same SQL in every database that is no template, one after the other, in the order of their names; the first that fails ends it. A
 * name goes through the environment: as an argument, one with a `=` in it would be read as a connection string.
 */
export function psqlInEach(effect: Command['effect'], sql: string, timeoutMs: number): Command {
  return script(effect, `ask() {\n  export PGDATABASE="$1"\n${findAndAsk()}\n}\n${shellProgram(import.meta.url, 'ask-each.sh')}`, [], {
    stdin: sql,
    timeoutMs,
  });
}

/** A name or path as an SQL string literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * psql's `\connect`, without our options, with a connection URI whose every byte but letters and digits is percent-encoded: nothing in a password
 * can end the word or the line, or meet psql's own quoting (which strips double quotes even inside single ones).
 */
export function connectAs(options: Readonly<Record<string, string | Secret>>): Secret {
  const parameters = Object.entries(options).map(([key, value]) => {
    const bytes = [...Buffer.from(reveal(value))].map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
    });
    return joinSecret([key, '=', value instanceof Secret ? new Secret(bytes.join('')) : bytes.join('')]);
  });
  return joinSecret([NO_OPTIONS, "\\connect -reuse-previous=off 'postgresql:///?", joinSecret(parameters, '&'), "'\n"]);
}
