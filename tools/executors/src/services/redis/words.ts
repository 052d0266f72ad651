import { joinSecret, type Secret } from '../../engine/secret.ts';

/**
 * Every Redis command that nx-mooring sends. What it says to a server is made by {@link say} or stands in a `.sh` file; that this list is
 * the whole one is tested: a server on which one of them has another name could be neither configured nor asked.
 */
export const COMMANDS = ['AUTH', 'CONFIG', 'ECHO', 'INFO', 'PING', 'QUIT', 'SETRANGE'] as const;

/** One command as a line: for redis-cli's stdin and for a socket (an inline command). */
export function say(command: (typeof COMMANDS)[number], ...words: readonly (string | Secret)[]): Secret {
  return joinSecret([command, ...words], ' ');
}

/** Lines of {@link say}, each with its end. */
export function conversation(...lines: readonly Secret[]): Secret {
  return joinSecret(lines.flatMap((line) => [line, '\r\n']));
}
