import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { showError } from '../engine/errors.ts';
import { Secret } from '../engine/secret.ts';
import { encryptAge, newIdentity } from './age.ts';
import { loadSecrets } from './load.ts';
import type { Variables } from './types.ts';

const ENCRYPTED = 'infra/environments/staging.secrets.age';
const RECIPIENTS = 'infra/environments/staging.recipients';
const ann = await newIdentity();
const bob = await newIdentity();

let root: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'mooring age '));
  mkdirSync(join(root, '.secrets'), { mode: 0o700 });
  mkdirSync(join(root, 'infra/environments'), { recursive: true });
  put('nx.json', '{}');
  put(RECIPIENTS, `# Ann\n${ann.recipient}\n# CI\n${bob.recipient}\n`);
  put('.secrets/age.key', `# created: 2026-11-26\n# public key: ${ann.recipient}\n${ann.identity.reveal()}\n`);
  await encrypt('A=hunter2\nB="two\\nhunter3"\nEMPTY=\n');
});
afterEach(() => rmSync(root, { recursive: true }));

function put(file: string, content: string | Uint8Array, mode = 0o600): void {
  writeFileSync(join(root, file), content);
  chmodSync(join(root, file), mode);
}
const encrypt = async (text: string, recipients = [ann.recipient, bob.recipient]) =>
  put(ENCRYPTED, await encryptAge(new Secret(text), recipients), 0o644);
const load = async (names: string[], variables: Variables = {}) => {
  const found = await loadSecrets(root, { name: 'staging', secrets: { provider: 'age' } }, names, { infra: 'infra', variables });
  return Object.fromEntries([...found].map(([name, secret]) => [name, secret.reveal()]));
};
/** The message of a load that must fail. It never has a value or a private key in it. */
const refusal = async (names: string[] = ['A'], variables: Variables = {}) => {
  const text = await load(names, variables).then(
    () => 'nothing was refused',
    (error) => showError(error),
  );
  for (const hidden of ['hunter2', 'hunter3', ann.identity.reveal(), bob.identity.reveal()]) expect(text).not.toContain(hidden);
  return text;
};

describe('secrets in an encrypted file', () => {
  test('are found with the key in .secrets/age.key', async () => {
    expect(await load(['A', 'B'])).toEqual({ A: 'hunter2', B: 'two\nhunter3' });
  });

  test('are found with the key in MOORING_AGE_IDENTITY, which comes before any file', async () => {
    put('.secrets/age.key', 'of no use', 0o644);
    expect(await load(['A'], { MOORING_AGE_IDENTITY: `${bob.identity.reveal()}\n` })).toEqual({ A: 'hunter2' });
  });

  test('are found with a key in the file that MOORING_AGE_IDENTITY_FILE names, in or outside of the workspace', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'mooring key '));
    rmSync(join(root, '.secrets/age.key'));
    writeFileSync(join(outside, 'ci.key'), bob.identity.reveal(), { mode: 0o600 });
    expect(await load(['A'], { MOORING_AGE_IDENTITY_FILE: join(outside, 'ci.key') })).toEqual({ A: 'hunter2' });
    put('.secrets/mine', ann.identity.reveal());
    expect(await load(['A'], { MOORING_AGE_IDENTITY_FILE: '.secrets/mine' })).toEqual({ A: 'hunter2' });
    rmSync(outside, { recursive: true });
  });

  test('MOORING_<ENVIRONMENT>_<NAME> comes first, and no key is needed where it gives all of them', async () => {
    expect(await load(['A', 'B'], { MOORING_STAGING_A: 'x' })).toEqual({ A: 'x', B: 'two\nhunter3' });
    rmSync(join(root, '.secrets/age.key'));
    expect(await load(['A'], { MOORING_STAGING_A: 'x' })).toEqual({ A: 'x' });
  });

  test('missing and empty ones are told with the command that sets them; the file in clear does not serve', async () => {
    put('.secrets/staging.env', 'C=x\n');
    const text = await refusal(['EMPTY', 'C']);
    expect(text).toContain(`1. EMPTY is empty in ${ENCRYPTED}`);
    expect(text).toContain('npx nx g nx-mooring:secrets staging --action=rotate --name=EMPTY');
    expect(text).toContain(`2. C is missing in ${ENCRYPTED}, and MOORING_STAGING_C is not set (.secrets/staging.env has it, but the env`);
    expect(text).toContain('npx nx g nx-mooring:secrets staging --action=add --name=C');
  });
});

describe('refused, with what to do:', () => {
  test('no private key', async () => {
    rmSync(join(root, '.secrets/age.key'));
    const text = await refusal();
    expect(text).toContain(
      'there is no private key: MOORING_AGE_IDENTITY and MOORING_AGE_IDENTITY_FILE are not set, and .secrets/age.key is',
    );
    expect(text).toContain('--action=init makes one');
  });

  test('a variable that is set and empty, as a CI gives it that has no such secret', async () => {
    expect(await refusal(['A'], { MOORING_AGE_IDENTITY: '' })).toContain('MOORING_AGE_IDENTITY is set and empty');
    expect(await refusal(['A'], { MOORING_AGE_IDENTITY_FILE: ' ' })).toContain('MOORING_AGE_IDENTITY_FILE is set and empty');
  });

  test('a file of keys that is not there', async () => {
    expect(await refusal(['A'], { MOORING_AGE_IDENTITY_FILE: '/nowhere/x' })).toContain(
      '/nowhere/x, which MOORING_AGE_IDENTITY_FILE names, is not there',
    );
  });

  test('the wrong key, with the public key that is to be added', async () => {
    const eve = await newIdentity();
    const text = await refusal(['A'], { MOORING_AGE_IDENTITY: eve.identity.reveal() });
    expect(text).toContain(`${ENCRYPTED} is not encrypted to the key in MOORING_AGE_IDENTITY`);
    expect(text).toContain(`add ${eve.recipient} to ${RECIPIENTS}; somebody whose key fits runs npx nx g nx-mooring:secrets staging --act`);
    expect(text).not.toContain(eve.identity.reveal());
  });

  test('a file for other recipients than the list has', async () => {
    await encrypt('A=hunter2\n', [bob.recipient]);
    expect(await refusal()).toContain(`is not encrypted to the key in .secrets/age.key, although ${RECIPIENTS} has it`);
  });

  test('what is not a private key: the line is told, not shown', async () => {
    put('.secrets/age.key', '# mine\nhunter2\n');
    expect(await refusal()).toContain('.secrets/age.key:2: this is not a private key of age; expected AGE-SECRET-KEY-1…');
    put('.secrets/age.key', '# nothing yet\n');
    expect(await refusal()).toContain('.secrets/age.key has no private key in it');
  });

  test.each([0o640, 0o644, 0o700])('a key that others can use: %o', async (mode) => {
    chmodSync(join(root, '.secrets/age.key'), mode);
    expect(await refusal()).toMatch(/\.secrets\/age\.key can be used by others: its mode is 0\d{3}, not 0600[\s\S]*chmod 600/);
  });

  test('a key behind a symbolic link', async () => {
    symlinkSync('age.key', join(root, '.secrets/link'));
    expect(await refusal(['A'], { MOORING_AGE_IDENTITY_FILE: '.secrets/link' })).toContain('it is a symbolic link');
    expect(await refusal(['A'], { MOORING_AGE_IDENTITY_FILE: '.secrets' })).toContain('.secrets is not read: it is not a regular file');
  });

  test('a key that is tracked by git, also in another repository', async () => {
    const dotfiles = mkdtempSync(join(tmpdir(), 'mooring dot '));
    for (const folder of [root, dotfiles]) execFileSync('git', ['init', '-q'], { cwd: folder });
    expect(await load(['A'])).toEqual({ A: 'hunter2' });
    writeFileSync(join(dotfiles, 'key'), bob.identity.reveal(), { mode: 0o600 });
    execFileSync('git', ['add', '-f', 'key'], { cwd: dotfiles });
    execFileSync('git', ['add', '-f', '.secrets/age.key'], { cwd: root });
    for (const variables of [{}, { MOORING_AGE_IDENTITY_FILE: join(dotfiles, 'key') }])
      expect(await refusal(['A'], variables)).toMatch(/is tracked by git[\s\S]*make a new key/);
    rmSync(dotfiles, { recursive: true });
  });

  test('a file that is damaged, empty, in clear, not text or not there', async () => {
    const whole = await encryptAge(new Secret('A=hunter2\n'), [ann.recipient]);
    put(ENCRYPTED, whole.replace(/.{10}\n-----END/, '\n-----END'));
    expect(await refusal()).toContain(`${ENCRYPTED} cannot be decrypted: it is damaged, or somebody has changed it`);
    put(ENCRYPTED, '');
    expect(await refusal()).toContain(`${ENCRYPTED} is empty`);
    put(ENCRYPTED, 'A=hunter2\n');
    expect(await refusal()).toContain(`${ENCRYPTED} is not encrypted with age`);
    const { Encrypter } = await import('age-encryption');
    const encrypter = new Encrypter();
    encrypter.addRecipient(ann.recipient);
    put(ENCRYPTED, await encrypter.encrypt(new Uint8Array([0x41, 0x3d, 0xff])));
    expect(await refusal()).toContain(`${ENCRYPTED} (decrypted) is not UTF-8`);
    rmSync(join(root, ENCRYPTED));
    expect(await refusal()).toContain(`${ENCRYPTED} is not there`);
  });

  test('a name twice, a line that is none: by their numbers', async () => {
    await encrypt('A=hunter2\nA=hunter3\nnonsense\n');
    const text = await refusal();
    expect(text).toContain(`${ENCRYPTED} (decrypted):2: A is there already, in line 1`);
    expect(text).toContain(`${ENCRYPTED} (decrypted):3: this is not a NAME=value line`);
  });

  test('nothing in it: every name is missing', async () => {
    await encrypt('');
    expect(await refusal()).toContain(`A is missing in ${ENCRYPTED}`);
  });
});
