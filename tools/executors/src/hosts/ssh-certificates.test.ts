import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { certificatesOf } from './ssh-certificates.ts';
import type { SshSettings } from './ssh-config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mooring-certificates-'));
  vi.stubEnv('PATH', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const ask = (script: string) => {
  writeFileSync(join(folder, 'ssh-add'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'key-cert.pub'), '');
  const settings = { agent: '/run/agent', identitiesOnly: false, certificateFiles: [], identityFiles: [join(folder, 'key')] };
  return certificatesOf(settings as unknown as SshSettings);
};

it('are those beside the keys and those of the agent', async () => {
  const list = "echo 'ssh-ed25519 AAAA key'; echo 'ssh-ed25519-cert-v01@openssh.com AAAA mike at work'";
  expect(await ask(list)).toEqual([join(folder, 'key-cert.pub'), 'mike at work in the agent']);
});

it('an agent that cannot be asked has none: why the login failed is told all the same', async () => {
  expect(await ask('kill -9 $$')).toEqual([join(folder, 'key-cert.pub')]);
});
