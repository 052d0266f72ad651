import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HostError } from '../../tools/executors/src/engine/errors.ts';
import { openHost } from '../../tools/executors/src/hosts/index.ts';
import { refusedBy } from './refused.ts';
import { keygen, startSshd, type TestSshd } from './sshd.ts';

let sshd: TestSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const open = (host = 'contract') => openHost({ host, sshConfig: sshd.config });
const refused = (host: string) => refusedBy(sshd, host);

describe('who does not get in, and why', () => {
  test('a key that the host does not have', async () => {
    sshd.alias('stranger', `IdentityFile "${join(sshd.folder, 'other')}"`, 'IdentitiesOnly yes', 'IdentityAgent none');
    // `alias` adds our key after it: take the right away instead.
    const authorized = join(sshd.folder, 'authorized');
    const kept = readFileSync(authorized);
    writeFileSync(authorized, '');
    const error = await refused('stranger').finally(() => writeFileSync(authorized, kept));
    expect(error.message).toMatch(/does not let root in; tried: no agent.*\/other, .*\/id/);
    expect(error.detail.next).toContain('does the host have your public key?');
  });

  test('a key with a passphrase and no agent, and with one', async () => {
    const locked = join(sshd.folder, 'locked');
    keygen(locked, 'open sesame');
    writeFileSync(join(sshd.folder, 'authorized'), readFileSync(`${locked}.pub`), { flag: 'a' });
    const config = join(sshd.folder, 'locked_config');
    writeFileSync(
      config,
      `Host locked\n HostName 127.0.0.1\n Port ${sshd.port}\n IdentityFile "${locked}"\n IdentitiesOnly yes\n UserKnownHostsFile "${sshd.knownHosts}"\n`,
    );
    const attempt = () => openHost({ host: 'locked', sshConfig: config });
    const before = process.env.SSH_AUTH_SOCK;
    delete process.env.SSH_AUTH_SOCK;
    await expect(attempt()).rejects.toMatchObject({
      message: expect.stringContaining('has a passphrase and can be used through an agent only'),
      detail: { next: expect.stringContaining(`ssh-add ${locked}`) },
    });
    const agent = execFileSync('ssh-agent', ['-s', '-a', join(sshd.folder, 'agent')], { encoding: 'utf8' });
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(agent)?.[1]);
    try {
      process.env.SSH_AUTH_SOCK = join(sshd.folder, 'agent');
      const ask = join(sshd.folder, 'ask');
      writeFileSync(ask, '#!/bin/sh\necho open sesame\n');
      chmodSync(ask, 0o700);
      const env = { ...process.env, SSH_ASKPASS: ask, SSH_ASKPASS_REQUIRE: 'force' };
      execFileSync('ssh-add', ['-q', join(sshd.folder, 'other')], { env });
      await expect(attempt()).rejects.toThrow(/tried: 0 of the agent's 1 keys/);
      execFileSync('ssh-add', ['-q', locked], { env, stdio: 'ignore' });
      await (await attempt()).close();
    } finally {
      process.kill(pid);
      if (before === undefined) delete process.env.SSH_AUTH_SOCK;
      else process.env.SSH_AUTH_SOCK = before;
    }
  });

  test('a user who has a certificate: OpenSSH gets in, and we say what we do not take, and what will do', async () => {
    const at = (name: string) => join(sshd.folder, name);
    keygen(at('ca'));
    const trusting = await startSshd(`TrustedUserCAKeys "${at('ca.pub')}"`);
    keygen(at('signed'));
    execFileSync('ssh-keygen', ['-q', '-s', at('ca'), '-I', 'deploy', '-n', 'root', at('signed.pub')]);
    execFileSync('cp', [at('signed'), at('apart')]);
    const config = at('certificates_config');
    const common = ` HostName 127.0.0.1\n Port ${trusting.port}\n UserKnownHostsFile "${trusting.knownHosts}"\n IdentityAgent "${at('ca agent')}"\n`;
    writeFileSync(
      config,
      `Host beside\n IdentityFile "${at('signed')}"\n${common}Host named\n IdentityFile "${at('apart')}"\n CertificateFile "${at('signed-cert.pub')}"\n${common}Host agent\n IdentityFile "${at('no such')}"\n${common}`,
    );
    const agent = execFileSync('ssh-agent', ['-s', '-a', at('ca agent')], { encoding: 'utf8' });
    const login = (host: string) => openHost({ host, sshConfig: config });
    try {
      for (const [host, seen] of [
        ['beside', at('signed-cert.pub')],
        ['named', at('signed-cert.pub')],
        ['agent', 'contract in the agent'],
      ] as const) {
        if (host === 'agent')
          execFileSync('ssh-add', ['-q', at('signed')], { env: { ...process.env, SSH_AUTH_SOCK: at('ca agent') }, stdio: 'ignore' });
        execFileSync('ssh', ['-F', config, '-o', 'BatchMode=yes', host, 'true']);
        const error = await login(host).then(
          () => undefined,
          (caught) => caught as HostError,
        );
        expect(error?.message).toContain('nx-mooring does not support SSH user certificates, so it did not try ');
        expect(error?.message).toContain(seen);
        expect(error?.detail.next).toContain(`ssh-copy-id -f -F '${config}' -i `);
      }
      writeFileSync(join(trusting.folder, 'authorized'), readFileSync(at('signed.pub')));
      await (await login('beside')).close();
    } finally {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(agent)?.[1]));
      await trusting.stop();
    }
  });

  test('an agent that is gone does not stand in the way of a key file', async () => {
    sshd.alias('dead-agent', `IdentityAgent "${join(sshd.folder, 'no such agent')}"`);
    await (await open('dead-agent')).close();
  });
});
