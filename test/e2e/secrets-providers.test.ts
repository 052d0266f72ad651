import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Secret } from '../../tools/executors/src/engine/secret.ts';
import { encryptAge, newIdentity } from '../../tools/executors/src/secrets/age.ts';
import { formatSecretLine } from '../../tools/executors/src/secrets/format.ts';
import { foundInCommitted } from '../committed.ts';
import { Application } from './application.ts';
import { converge, expectRefused } from './expectations.ts';
import { makeWorkspace } from './make-workspace.ts';
import type { Workspace } from './workspace.ts';

/* Redis with its password from an encrypted file that is committed, then from a command. */

const ENVIRONMENT = 'e2e-vault';
const [FIRST, SECOND, THIRD] = ['first+password@1111', 'second+password@2222', 'third+password@3333'] as const;
const keys = await newIdentity();

let workspace: Workspace;
let application: Application;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: ['redis'], over: { secrets: { provider: 'age' } } });
  application = new Application(workspace, ['redis']);
  await rm(join(workspace.root, `.secrets/${ENVIRONMENT}.env`));
  await writeFile(join(workspace.root, '.secrets/age.key'), `${keys.identity.reveal()}\n`, { mode: 0o600 });
  await writeFile(join(workspace.root, `infra/environments/${ENVIRONMENT}.recipients`), `# the test\n${keys.recipient}\n`);
  await encrypt(FIRST);
});
afterAll(() => workspace.remove());

/** Commits an encrypted file with this password of Redis. */
async function encrypt(password: string): Promise<void> {
  const text = await encryptAge(new Secret(`${formatSecretLine('REDIS_PASSWORD', password)}\n`), [keys.recipient]);
  await writeFile(join(workspace.root, `infra/environments/${ENVIRONMENT}.secrets.age`), text);
  await workspace.commit('secrets');
}

it('a deploy takes the password from the encrypted file', async () => {
  const output = await converge(workspace);
  expect(output).toContain('healthy');
  expect(output).not.toContain(FIRST);
  expect(await application.attempt({ REDIS_PASSWORD: FIRST })).toEqual({ redis: 'let in' });
  expect(foundInCommitted(workspace.root, { REDIS_PASSWORD: FIRST })).toEqual([]);
});

it('without the key it is refused before the host is touched', async () => {
  await rm(join(workspace.root, '.secrets/age.key'));
  await expectRefused(workspace, () => workspace.configure(), {
    says: ['there is no private key: MOORING_AGE_IDENTITY and MOORING_AGE_IDENTITY_FILE are not set', 'npx nx g nx-mooring:secrets'],
    containers: ['redis'],
  });
});

it('nx affected sees a password that was rotated in the file, and a deploy with the key in a variable brings it', async () => {
  await encrypt(SECOND);
  const args = ['affected', '-t', 'configure', '-c', ENVIRONMENT, '--base=HEAD~1', '--head=HEAD', '--output-style=static'];
  const { code, output } = await workspace.nx(args, { env: { MOORING_AGE_IDENTITY: keys.identity.reveal() } });
  expect(code, output).toBe(0);
  for (const hidden of [SECOND, keys.identity.reveal()]) expect(output).not.toContain(hidden);
  expect(await application.attempt({ REDIS_PASSWORD: SECOND })).toEqual({ redis: 'let in' });
  expect((await application.attempt({ REDIS_PASSWORD: FIRST })).redis).toContain('WRONGPASS');
});

it('a deploy takes the password from a command', async () => {
  await writeFile(join(workspace.root, '.secrets/vault.sh'), '#!/bin/sh\ncat "$1"\n', { mode: 0o700 });
  await writeFile(join(workspace.root, '.secrets/vault'), `REDIS_PASSWORD=${THIRD}\n`);
  await workspace.edit(workspace.environmentFile, (file) =>
    Object.assign(file, { secrets: { provider: 'command', argv: ['.secrets/vault.sh', '.secrets/vault'] } }),
  );
  await workspace.commit('from a command');
  expect(await converge(workspace)).not.toContain(THIRD);
  expect(await application.attempt({ REDIS_PASSWORD: THIRD })).toEqual({ redis: 'let in' });
});
