import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostError, showError } from '../engine/errors.ts';
import { loadSecrets } from './load.ts';
import type { Variables } from './types.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring command '));
});
afterEach(() => rmSync(root, { recursive: true }));

type Options = { argv?: [string, ...string[]]; timeoutSeconds?: number; variables?: string[]; given?: Variables; signal?: AbortSignal };

/** Loads A with a shell script of the workspace as the command. */
async function load(script: string, { argv, timeoutSeconds = 10, variables = [], given = {}, signal }: Options = {}) {
  writeFileSync(join(root, 'vault.sh'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(root, 'vault.sh'), 0o755);
  const secrets = { provider: 'command', argv: argv ?? ['./vault.sh', 'read', 'team/staging env'], timeoutSeconds, variables } as const;
  const found = await loadSecrets(root, { name: 'staging', secrets }, ['A'], {
    infra: 'infra',
    variables: given,
    ...(signal === undefined ? {} : { signal }),
  });
  return found.get('A')?.reveal();
}
const refusal = async (script: string, options?: Options) => {
  const text = await load(script, options).then(
    () => 'nothing was refused',
    (error) => {
      // No host was asked: what a program of this machine does says nothing of one.
      for (const problem of error.problems) expect(problem).not.toBeInstanceOf(HostError);
      return showError(error);
    },
  );
  expect(text).not.toContain('hunter2');
  return text;
};

describe('the output of a command', () => {
  test('is read as the lines of a secrets file; the command has its arguments as they are, and runs in the workspace', async () => {
    expect(await load('test "$1,$2" = "read,team/staging env" && cat values', { argv: ['sh', '-c', 'echo A=$0', '$(id)'] })).toBe('$(id)');
    writeFileSync(join(root, 'values'), '# from the vault\nA="two\\nlines"\n');
    expect(await load('test "$1,$2" = "read,team/staging env" && cat values')).toBe('two\nlines');
  });

  test('the command is given the variables that are named, and no others', async () => {
    const given = { VAULT_TOKEN: 'x', OTHER: 'y', MOORING_STAGING_B: 'z' };
    expect(await load('echo "A=$VAULT_TOKEN,$OTHER,$MOORING_STAGING_B,${HOME:+home}"', { variables: ['VAULT_TOKEN'], given })).toBe(
      'x,,,home',
    );
  });

  test('it has nothing on its stdin, and is not started where variables give all values', async () => {
    expect(await load('cat; echo A=x')).toBe('x');
    expect(await load('touch started', { given: { MOORING_STAGING_A: 'x' } })).toBe('x');
    expect(existsSync(join(root, 'started'))).toBe(false);
  });
});

describe('refused, and the output is not shown:', () => {
  test('a program that is not there, or is none', async () => {
    expect(await refusal('', { argv: ['mooring-no-such-program'] })).toMatch(
      /the command for the secrets of staging: mooring-no-such-program is not installed on this machine[\s\S]*next: {4}install mooring-no-such/,
    );
    writeFileSync(join(root, 'plain'), '');
    expect(await refusal('', { argv: ['./plain'] })).toContain('./plain could not be started: EACCES');
  });

  test('one that fails: its exit code, the end of its stderr, and the variables that it was not given', async () => {
    const text = await refusal('echo A=hunter2; echo "permission denied for A: hunter2" >&2; exit 3', {
      variables: ['VAULT_ADDR', 'VAULT_TOKEN'],
      given: { VAULT_ADDR: 'x' },
    });
    expect(text).toBe(`the secrets of staging are not complete
1. the command for the secrets of staging failed
     command: ./vault.sh read 'team/staging env' (exit code 3)
     stderr:  permission denied for A: (secret)
     next:    run it by hand: ./vault.sh read 'team/staging env'; not set, and so not given to it: VAULT_TOKEN
  more:    docs/errors.md#a-command-that-failed`);
  });

  test('a line of a secret that has several is not shown either', async () => {
    writeFileSync(join(root, 'values'), 'A="first line\\nhunter2 again"\n');
    const text = await refusal('cat values; echo "bad key near: hunter2 again" >&2; exit 1');
    expect(text).toContain('stderr:  bad key near: (secret)');
  });

  test('one that kills itself', async () => expect(await refusal('kill -9 $$')).toContain('was killed by SIGKILL'));

  test('one that does not end, and what it has started ends too', async () => {
    const script = 'trap "" TERM\n(sleep 2; touch outlived) &\necho A=hunter2; echo waiting for a password >&2; sleep 60';
    const text = await refusal(script, { timeoutSeconds: 1 });
    expect(text).toContain('did not end within 1 seconds and was ended');
    expect(text).toContain('stderr:  waiting for a password');
    await setTimeout(1500);
    expect(existsSync(join(root, 'outlived'))).toBe(false);
  });

  test('one that is at work when the run is interrupted', async () => {
    expect(await refusal('sleep 60', { signal: AbortSignal.timeout(300) })).toContain('the run was interrupted');
    expect(await refusal('sleep 60', { signal: AbortSignal.abort() })).toContain('the run was interrupted');
  });

  test('one that prints without an end', async () => {
    expect(await refusal('yes A=hunter2')).toContain('printed more than 1 MiB');
    expect(await refusal('yes >&2')).toContain('printed more than 1 MiB');
  });

  test('one that succeeds and prints nothing', async () => {
    expect(await refusal('echo')).toContain("the output of ./vault.sh read 'team/staging env' is empty, although it succeeded");
  });

  test('what is no list of secrets: a page, a single value, bytes', async () => {
    const page = await refusal('printf "<html>\\nhunter2</html>\\n"');
    expect(page).toContain("the output of ./vault.sh read 'team/staging env':1: this is not a NAME=value line");
    expect(await refusal('echo hunter2')).toContain(':1: this is not a NAME=value line');
    expect(await refusal('printf "A=\\377\\376hunter2"')).toContain('is not UTF-8');
  });

  test('a name twice, another name', async () => {
    expect(await refusal('echo A=hunter2; echo A=x')).toContain(':2: A is there already, in line 1');
    expect(await refusal('echo B=hunter2')).toMatch(/A is missing in the output of [\s\S]*next: {4}give A a value where \.\/vault\.sh/);
  });

  test('codes for the terminal in its stderr are taken out', async () => {
    const text = await refusal('printf "\\033]0;owned\\007\\033[31mred\\033[0m\\b\\r plain" >&2; exit 1');
    expect(text).toContain('red plain');
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
  });
});
