import { joinSecret, reveal, Secret } from '../engine/secret.ts';

/**
 * Whether systemd takes this text as a variable's value: `env_value_is_valid` (env-util.c) wants UTF-8 without control characters
 * other than tab and newline; `utf8_is_valid` refuses Unicode's non-characters as well. What it refuses it leaves out with no more
 * than a warning, so it is refused here.
 */
export function isEnvironmentValue(text: string): boolean {
  return text.isWellFormed() && !/[\x00-\x08\x0b-\x1f\x7f\u{fdd0}-\u{fdef}]/u.test(text) && !NONCHARACTER.test(text);
}

/** The last two of each plane. */
const NONCHARACTER = new RegExp(
  `[${Array.from({ length: 17 }, (_, plane) => `\\u{${(plane * 0x10000 + 0xfffe).toString(16)}}\\u{${(plane * 0x10000 + 0xffff).toString(16)}}`).join('')}]`,
  'u',
);

/**
 * Variables as a file that systemd (`EnvironmentFile=`, systemd.exec(5)) and a POSIX shell (`. file`) read as the same values: between
 * double quotes both take a backslash before `"`, `\`, `$` and a backtick, and everything else, newlines too, as it is.
 *
 * @param values each {@link isEnvironmentValue}; names are those of variables
 */
export function renderEnvironmentFile(values: Readonly<Record<string, string | Secret>>): Secret {
  const lines = Object.entries(values).map(([name, value]) => {
    const quoted = `"${reveal(value).replaceAll(/["\\$`]/g, '\\$&')}"`;
    return joinSecret([name, '=', value instanceof Secret ? new Secret(quoted) : quoted, '\n']);
  });
  return joinSecret(['# Written by nx-mooring: changes made here are undone by the next configure.\n', ...lines]);
}
