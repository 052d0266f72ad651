import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { foundInCommitted } from '../../../../../test/committed.ts';
import { json } from '../../../../../test/trees.ts';
import { Secret } from '../../engine/secret.ts';
import { newIdentity } from '../../secrets/age.ts';
import { loadSecrets } from '../../secrets/load.ts';
import type { Done } from '../shared/generator.ts';
import secretsGenerator from './generator.ts';
import { secretsOptions } from './options.ts';
import { changeSecrets } from './secrets.ts';

const ENCRYPTED = 'infra/environments/staging.secrets.age';
const RECIPIENTS = 'infra/environments/staging.recipients';
const ann = await newIdentity();

describe('in a workspace with git', () => {
  const values = { REDIS_PASSWORD: 'hunter2+hunter2', DEPLOY_KEY: '-----BEGIN KEY-----\nabcdefgh\n' };
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mooring vault '));
    mkdirSync(join(root, 'infra/environments'), { recursive: true });
    mkdirSync(join(root, '.secrets'), { mode: 0o700 });
    writeFileSync(join(root, 'nx.json'), '{}');
    writeFileSync(join(root, 'infra/environments/staging.json'), '{}');
    const lines = `# ours\nREDIS_PASSWORD=${values.REDIS_PASSWORD}\nDEPLOY_KEY="${values.DEPLOY_KEY.replaceAll('\n', '\\n')}"\n`;
    writeFileSync(join(root, '.secrets/staging.env'), lines, { mode: 0o600 });
    execFileSync('git', ['init', '-q'], { cwd: root });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** As nx does it: the generator, then the files, then what the generator has to do afterwards. */
  async function generate(options: object, answers: Record<string, string> = {}, dryRun = false): Promise<string> {
    const on = new FsTree(root, false);
    const edge = { variables: {}, ask: async (name: string) => new Secret(answers[name] ?? '') };
    const done = (await changeSecrets(on, secretsOptions.parse({ environment: 'staging', ...options }), edge)) as Done | string[];
    if (dryRun) return '';
    flushChanges(root, on.listChanges());
    if ('finish' in done) await done.finish();
    return ('lines' in done ? done.lines : done).join('\n');
  }
  const load = async (...names: string[]) => {
    const secrets = json(new FsTree(root, false), 'infra/environments/staging.json').secrets as { provider: 'age' };
    const found = await loadSecrets(root, { name: 'staging', secrets }, names, { infra: 'infra', variables: {} });
    return Object.fromEntries([...found].map(([name, secret]) => [name, secret.reveal()]));
  };

  it('a dry run writes nothing, not even the key', async () => {
    await generate({ action: 'init' }, {}, true);
    expect(existsSync(join(root, '.secrets/age.key'))).toBe(false);
    expect(existsSync(join(root, ENCRYPTED))).toBe(false);
  });

  it('the file in clear is taken over, and no value of it is in what is committed', async () => {
    const said = await generate({ action: 'init' });
    expect(said).toContain('made, with the secrets of .secrets/staging.env: REDIS_PASSWORD, DEPLOY_KEY');
    expect(said).toContain('rm .secrets/staging.env');
    rmSync(join(root, '.secrets/staging.env'));
    expect(await load('REDIS_PASSWORD', 'DEPLOY_KEY')).toEqual(values);
    expect(statSync(join(root, '.secrets/age.key')).mode & 0o777).toBe(0o600);

    await generate({ action: 'rotate', name: 'REDIS_PASSWORD' }, { REDIS_PASSWORD: 'another+another' });
    expect(await load('REDIS_PASSWORD')).toEqual({ REDIS_PASSWORD: 'another+another' });
    execFileSync('git', ['add', '-A'], { cwd: root });
    const committed = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
    expect(committed.sort()).toEqual(['.gitignore', RECIPIENTS, ENCRYPTED, 'infra/environments/staging.json', 'nx.json'].sort());
    const key = readFileSync(join(root, '.secrets/age.key'), 'utf8').trim().split('\n').at(-1) ?? '';
    expect(key).toMatch(/^AGE-SECRET-KEY-1/);
    expect(foundInCommitted(root, { ...values, another: 'another+another', key })).toEqual([]);
  });

  it('the search finds what is committed in clear', () => {
    execFileSync('git', ['add', '-f', '.secrets/staging.env'], { cwd: root });
    expect(foundInCommitted(root, values)).toContain('.secrets/staging.env: REDIS_PASSWORD');
  });

  it('a file in clear that cannot be trusted is not taken over', async () => {
    execFileSync('git', ['add', '-f', '.secrets/staging.env'], { cwd: root });
    await expect(generate({ action: 'init' })).rejects.toThrow('.secrets/staging.env cannot be taken over');
  });

  it('a key that is there is used, and never replaced', async () => {
    writeFileSync(join(root, '.secrets/age.key'), ann.identity.reveal(), { mode: 0o600 });
    await generate({ action: 'init' });
    expect(readFileSync(join(root, '.secrets/age.key'), 'utf8')).toBe(ann.identity.reveal());
    expect(readFileSync(join(root, RECIPIENTS), 'utf8')).toContain(ann.recipient);
  });

  it('nothing of a value is printed', async () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => {});
    vi.stubEnv('MOORING_AGE_IDENTITY', ann.identity.reveal());
    const on = new FsTree(root, false);
    await (await secretsGenerator(on, { environment: 'staging', action: 'init' }))();
    vi.unstubAllEnvs();
    const printed = said.mock.calls.join('\n');
    expect(printed).toContain('made, with the secrets');
    for (const hidden of [...Object.values(values), ann.identity.reveal()]) expect(printed).not.toContain(hidden);
  });
});
