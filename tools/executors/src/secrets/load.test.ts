import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProblemsError, showError } from '../engine/errors.ts';
import { loadSecrets, overrideName } from './load.ts';
import type { Variables } from './types.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring secrets '));
  mkdirSync(join(root, '.secrets'), { mode: 0o700 });
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (environment: string, text: string, mode = 0o600) => {
  const path = join(root, '.secrets', `${environment}.env`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};
const load = async (names: string[], variables: Variables = {}, environment = 'staging') =>
  Object.fromEntries(
    [...(await loadSecrets(root, { name: environment, secrets: { provider: 'file' } }, names, { infra: 'infra', variables }))].map(
      ([name, secret]) => [name, secret.reveal()],
    ),
  );
const problems = async (names: string[], variables: Variables = {}, environment = 'staging') => {
  const error = await load(names, variables, environment).then(
    () => undefined,
    (error) => error,
  );
  expect(error).toBeInstanceOf(ProblemsError);
  return (error as ProblemsError).problems.map(showError);
};

describe('secrets that are found', () => {
  test('come from the file of the environment, asked for ones only', async () => {
    write('staging', 'A=1\nB="two\\nlines"\n');
    expect(await load(['B'])).toEqual({ B: 'two\nlines' });
  });

  test('come from MOORING_<ENVIRONMENT>_<NAME> first, without expansion, and need no file then', async () => {
    expect(await load(['A'], { MOORING_STAGING_A: '$HOME' })).toEqual({ A: '$HOME' });
    write('staging', 'A=1\nB=2\n');
    expect(await load(['A', 'B'], { MOORING_STAGING_A: 'x', MOORING_LOCAL_B: 'y', B: 'z' })).toEqual({ A: 'x', B: '2' });
    expect(overrideName('my-qa', 'A')).toBe('MOORING_MY_QA_A');
  });

  test('print as (secret)', async () => {
    write('staging', 'A=hunter2\n');
    const secrets = await loadSecrets(root, { name: 'staging', secrets: { provider: 'file' } }, ['A'], { infra: 'infra', variables: {} });
    expect(`${secrets.get('A')} ${JSON.stringify([...secrets])}`).toBe('(secret) [["A","(secret)"]]');
  });

  test('no name, no look: a run without secrets needs no file', async () => {
    expect(await load([])).toEqual({});
  });
});

describe('secrets that are not found', () => {
  test('missing and empty ones are told all at once, with file, name and the command that adds them', async () => {
    write('staging', 'A=1\nB=\nC=""\n');
    const told = await problems(['A', 'B', 'C', 'D', 'E'], { MOORING_STAGING_E: '' });
    expect(told).toHaveLength(4);
    expect(told[0]).toContain('B is empty in .secrets/staging.env');
    expect(told[1]).toContain('C is empty in .secrets/staging.env');
    expect(told[2]).toContain('D is missing in .secrets/staging.env, and MOORING_STAGING_D is not set');
    expect(told[3]).toContain('MOORING_STAGING_E is set and empty');
  });

  test('the command of the message adds the secret', async () => {
    writeFileSync(write('staging', ''), 'B=x');
    const [told = ''] = await problems(['A']);
    execFileSync('sh', ['-c', told.slice(told.indexOf('(umask'), told.indexOf(', or write'))], { cwd: root });
    expect(await load(['A', 'B'])).toEqual({ A: expect.stringMatching(/^[0-9a-f]{48}$/), B: 'x' });
  });

  test("the key is only in local's file: it never serves staging, and the message says so", async () => {
    write('local', 'A=local-only\n');
    const told = await problems(['A'], { MOORING_LOCAL_A: 'local-only' });
    expect(told[0]).toContain("(.secrets/local.env has it, but one environment's secret never serves another)");
    expect(told[0]).not.toContain('local-only');
  });

  test('a variable that fits two environments is of the one with the longer name', async () => {
    mkdirSync(join(root, 'infra/environments'), { recursive: true });
    writeFileSync(join(root, 'infra/environments/prod-eu.json'), '{}');
    const variables = { MOORING_PROD_EU_KEY: 'x' };
    expect(await load(['KEY'], variables, 'prod-eu')).toEqual({ KEY: 'x' });
    expect((await problems(['EU_KEY'], variables, 'prod'))[0]).toContain('EU_KEY is missing');
  });

  test('what is wrong in the file is told by line, and nothing else', async () => {
    write('staging', 'A=1\nA=2\nfoo\n');
    expect(await problems(['A', 'B'])).toEqual([
      expect.stringContaining('staging.env:2: A is there already'),
      expect.stringContaining('staging.env:3: '),
    ]);
    writeFileSync(join(root, '.secrets/staging.env'), Buffer.from([0x41, 0x3d, 0xff]));
    expect((await problems(['A']))[0]).toContain('is not UTF-8');
  });
});

describe('a file that cannot be trusted is refused', () => {
  test.each([0o640, 0o604, 0o660, 0o644, 0o700])('wider than 0600: %o', async (mode) => {
    write('staging', 'A=1\n', mode);
    expect((await problems(['A']))[0]).toMatch(/can be used by others: its mode is 0\d{3}, not 0600[\s\S]*chmod 600/);
  });

  test('narrower is fine', async () => {
    write('staging', 'A=1\n', 0o400);
    expect(await load(['A'])).toEqual({ A: '1' });
  });

  test.runIf(process.getuid?.() === 0)("somebody else's", async () => {
    chownSync(write('staging', 'A=1\n'), 1, 1);
    expect((await problems(['A']))[0]).toContain('belongs to user 1');
  });

  test('a symbolic link', async () => {
    writeFileSync(join(root, 'real'), 'A=1\n', { mode: 0o600 });
    symlinkSync('../real', join(root, '.secrets/staging.env'));
    expect((await problems(['A']))[0]).toContain('it is a symbolic link');
  });

  test('tracked by git; ignored or untracked is fine', async () => {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: root, stdio: 'ignore' });
    git('init', '-q');
    write('staging', 'A=1\n');
    expect(await load(['A'])).toEqual({ A: '1' });
    git('add', '-f', '.secrets/staging.env');
    expect((await problems(['A']))[0]).toMatch(/is tracked by git[\s\S]*change every secret in it/);
  });
});
