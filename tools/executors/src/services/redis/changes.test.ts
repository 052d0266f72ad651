import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { COMPLAINTS } from './changes.ts';

const complaints = (...lines: readonly string[]) =>
  execFileSync('sh', ['-c', COMPLAINTS], { input: `${lines.join('\n')}\n`, encoding: 'utf8' }).trimEnd();

it('of what Redis says at a start, what it complains of is shown', () => {
  expect(
    complaints(
      '812:C 30 Nov 2026 22:18:55.101 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo',
      '812:C 30 Nov 2026 22:18:55.101 # Redis version=7.0.15, bits=64, commit=00000000, modified=0, pid=812, just started',
      '812:C 30 Nov 2026 22:18:55.101 # Configuration loaded',
      '812:M 30 Nov 2026 22:18:55.102 * monotonic clock: POSIX clock_gettime',
      '812:M 30 Nov 2026 22:18:55.103 # Failed opening Unix socket: bind: No such file or directory',
    ),
  ).toBe('Failed opening Unix socket: bind: No such file or directory');
});

it.each([
  ["'masterauth hunter2 b'", "'masterauth (not shown)"],
  ["'user bob on >hunter2'", "'user (not shown)"],
  ["'requirepass hunter2 b'", "'requirepass (not shown)"],
  ["'tls-key-file-pass hunter2 b'", "'tls-key-file-pass (not shown)"],
  ["'tls-client-key-file-pass hunter2 b'", "'tls-client-key-file-pass (not shown)"],
  ["'timeout abc'", "'timeout abc'"],
])('a refused line that may hold a password is not shown: %s', (line, shown) => {
  expect(complaints(`>>> ${line}`, 'wrong number of arguments')).toBe(`>>> ${shown}\nwrong number of arguments`);
});

it.each([
  ['hunter2', '(not shown)'],
  [">hunter2' x", '(not shown)'],
  ['+@bogus', "+@bogus'"],
  ['~', "~'"],
])("a user's rule that may be a password is not shown: %s", (rule, shown) => {
  expect(complaints(`812:C 30 Nov 2026 22:18:55.101 # Error loading ACL rule '${rule}' for the user named 'bob': Syntax error`)).toBe(
    `Error loading ACL rule '${shown} for the user named 'bob': Syntax error`,
  );
});
