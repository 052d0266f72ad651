import type { Tree } from '@nx/devkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { emptyWorkspace, expectFormatted } from '../../../../../test/trees.ts';
import { Secret } from '../../engine/secret.ts';
import { decryptAge, newIdentity } from '../../secrets/age.ts';
import secretsGenerator from './generator.ts';
import { secretsOptions } from './options.ts';
import { changeSecrets } from './secrets.ts';

const ENCRYPTED = 'infra/environments/staging.secrets.age';
const RECIPIENTS = 'infra/environments/staging.recipients';
const ann = await newIdentity();
const bob = await newIdentity();

let tree: Tree;
beforeEach(() => {
  tree = emptyWorkspace();
  tree.write('infra/environments/staging.json', '{\n  "host": "local",\n  "profiles": ["a", "b"]\n}\n');
});

/** Runs the generator as the owner of a key. @returns what it says */
async function run(options: object, { as = ann, answers = {} as Record<string, string>, on = tree } = {}): Promise<string> {
  const edge = {
    variables: { MOORING_AGE_IDENTITY: as.identity.reveal() },
    ask: async (name: string) => new Secret(answers[name] ?? 'never asked for'),
  };
  const said = await changeSecrets(on, secretsOptions.parse({ environment: 'staging', ...options }), edge);
  return ('lines' in said ? said.lines : said).join('\n');
}
/** The lines of the encrypted file, for the owner of a key. */
async function text(key = ann): Promise<string> {
  const opened = await decryptAge(tree.read(ENCRYPTED) ?? new Uint8Array(), [key.identity]);
  return 'plain' in opened ? Buffer.from(opened.plain).toString() : opened.failure;
}
const addBob = () => tree.write(RECIPIENTS, `${tree.read(RECIPIENTS, 'utf-8')}# Bob\n${bob.recipient}\n`);
const state = () => [ENCRYPTED, RECIPIENTS, '.gitignore', 'infra/environments/staging.json'].map((file) => tree.read(file, 'utf-8'));

describe('init', () => {
  it('makes the list of public keys and the encrypted file, and the environment says so; the rest of its file stays as it is', async () => {
    expect(await run({ action: 'init' })).toContain(`${ENCRYPTED}: made, with no secrets in it yet`);
    expect(tree.read(RECIPIENTS, 'utf-8')).toMatch(/^# Who can read .*\n# \S+@\S+\nage1[a-z0-9]+\n$/);
    expect(await text()).toBe('# Secrets of staging\n');
    expect(tree.read('infra/environments/staging.json', 'utf-8')).toBe(
      '{\n  "host": "local",\n  "profiles": ["a", "b"],\n  "secrets": { "provider": "age" }\n}\n',
    );
    expect(tree.read('.gitignore', 'utf-8')).toContain('.secrets/*\n!.secrets/example.env\n');
    tree.delete('nx.json'); // Not ours, and not formatted.
    expectFormatted(tree);
  });

  it('does nothing the second time', async () => {
    await run({ action: 'init' });
    const before = state();
    expect(await run({ action: 'init' })).toBe(`${ENCRYPTED}: everything is there; nothing to do`);
    expect(state()).toEqual(before);
  });

  it('enters who comes new, and says that somebody has to re-encrypt; then the newcomer can read', async () => {
    await run({ action: 'init' });
    await run({ action: 'add', name: 'A' }, { answers: { A: 'x7Kq2!9z' } });
    expect(await run({ action: 'init' }, { as: bob })).toMatch(/your public key was added[\s\S]*--action=reencrypt/);
    expect(await text(bob)).toBe('other recipients');
    expect(await run({ action: 'reencrypt' })).toContain('encrypted to 2 public keys');
    expect(await text(bob)).toContain("A='x7Kq2!9z'\n");
  });

  it('leaves an environment alone whose secrets come from a command', async () => {
    tree.write('infra/environments/staging.json', '{"secrets": {"provider": "command", "argv": ["op", "read", "x"]}}');
    await expect(run({ action: 'init' })).rejects.toThrow('its secrets come from a command');
  });
});

describe('add', () => {
  beforeEach(() => run({ action: 'init' }));

  it('takes a value that is asked for, whatever is in it', async () => {
    const answers = { KEY: '-----BEGIN\nline "two"\n', PLAIN: "it's $HOME" };
    expect(await run({ action: 'add', name: 'KEY,PLAIN' }, { answers })).toContain('KEY: added to infra');
    expect(await text()).toBe('# Secrets of staging\nKEY="-----BEGIN\\nline \\"two\\"\\n"\nPLAIN="it\'s $HOME"\n');
  });

  it('makes random values, another for each', async () => {
    await run({ action: 'add', name: ['A', 'B'], random: true });
    const [, a, b] = /^A=([\w-]{40})\nB=([\w-]{40})$/m.exec(await text()) ?? [];
    expect(a).toMatch(/^[A-Za-z]/);
    expect(a).not.toBe(b);
  });

  it('does nothing with one that is there, and never replaces it', async () => {
    await run({ action: 'add', name: 'A' }, { answers: { A: 'x7Kq2!9z' } });
    const before = state();
    expect(await run({ action: 'add', name: 'A' }, { answers: { A: 'x7Kq2!9z' } })).toContain('A is in');
    expect(await run({ action: 'add', name: 'A', random: true })).toContain('already: nothing to do');
    await expect(run({ action: 'add', name: 'A' }, { answers: { A: 'hunter2-hunter2' } })).rejects.toThrow(
      /^A is in .* with another value$/,
    );
    expect(state()).toEqual(before);
  });

  it.each([{}, { name: 'lower' }, { name: 'A=x' }, { name: 'A,$(id)' }])('refuses %o as a name', async (options) => {
    await expect(run({ action: 'add', ...options })).rejects.toThrow('expected the name of a secret, upper case');
  });

  it.each([
    ['minio', 'it is shorter than 8 characters'],
    ['swordfish', 'it is a plain word or a number'],
    ['20261130', 'it is a plain word or a number'],
    ['cache-7-of-a', 'it is a part of a name'],
  ])('refuses a value that could not be hidden, and does not quote it: %s', async (value, why) => {
    tree.write('infra/cache-7-of-a-team/container.json', '{}');
    const before = state();
    const attempt = run({ action: 'add', name: 'A' }, { answers: { A: value } });
    await expect(attempt).rejects.toThrow(`A: the value could not be hidden in outputs: ${why}`);
    await expect(attempt).rejects.not.toThrow(value);
    expect(state()).toEqual(before);
  });

  it('takes no value from the command line', async () => {
    const attempt = secretsGenerator(tree, { environment: 'staging', action: 'add', name: 'A', value: 'hunter2' });
    await expect(attempt).rejects.toThrow(/--value: unknown option/);
    await expect(attempt).rejects.not.toThrow(/hunter2/);
  });
});

describe('rotate', () => {
  beforeEach(async () => {
    await run({ action: 'init' });
    await run({ action: 'add', name: 'A,B' }, { answers: { A: 'first+first', B: 'x7Kq2/9z' } });
  });

  it('replaces the value in its line, for all who can read', async () => {
    addBob();
    expect(await run({ action: 'rotate', name: 'A' }, { answers: { A: 'second+second' } })).toContain('npx nx affected -t plan -c staging');
    for (const key of [ann, bob]) expect(await text(key)).toBe('# Secrets of staging\nA=second+second\nB=x7Kq2/9z\n');
  });

  it('refuses a name that is not there, and the value that it has', async () => {
    const before = state();
    await expect(run({ action: 'rotate', name: 'B,C', random: true })).rejects.toThrow('C is not in infra');
    await expect(run({ action: 'rotate', name: 'A' }, { answers: { A: 'first+first' } })).rejects.toThrow(
      'A: this is the value that it has',
    );
    expect(state()).toEqual(before);
  });
});

describe('reencrypt', () => {
  beforeEach(() => run({ action: 'init' }));

  it('takes out who is not in the list any more', async () => {
    addBob();
    await run({ action: 'reencrypt' });
    expect(await text(bob)).toBe('# Secrets of staging\n');
    tree.write(RECIPIENTS, `${ann.recipient}\n`);
    expect(await run({ action: 'reencrypt' })).toContain('can still read what was committed before');
    expect(await text(bob)).toBe('other recipients');
    expect(await text()).toBe('# Secrets of staging\n');
  });

  it.each([
    ['nobody', '# nobody\n', 'there is nobody to encrypt to'],
    ['others only', `${bob.recipient}\n`, `${RECIPIENTS} does not have the key in MOORING_AGE_IDENTITY: you could not read`],
    ['a key of SSH', `ssh-ed25519 ${'A'.repeat(68)}\n`, 'there is nobody to encrypt to'],
  ])('refuses a list with %s', async (_, recipients, message) => {
    tree.write(RECIPIENTS, recipients);
    const before = state();
    await expect(run({ action: 'reencrypt' })).rejects.toThrow(message);
    expect(state()).toEqual(before);
  });

  it('refuses without a key that fits, and an environment that has no such file', async () => {
    await expect(run({ action: 'reencrypt' }, { as: bob })).rejects.toThrow(`${ENCRYPTED} cannot be changed`);
    await expect(run({ action: 'add', name: 'A', environment: 'stagign' })).rejects.toThrow('Did you mean staging?');
    tree.write('infra/environments/prod.json', '{}');
    await expect(run({ action: 'add', name: 'A', environment: 'prod' })).rejects.toThrow('its secrets are not in an encrypted file');
  });
});
