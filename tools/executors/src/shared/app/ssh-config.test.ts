import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSshConfig } from './ssh-config.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring ssh '));
});
afterAll(() => rmSync(root, { recursive: true }));

/** What OpenSSH makes of it. */
const settings = (config: string, host: string) =>
  Object.fromEntries(
    execFileSync('ssh', ['-G', '-F', config, '--', host], { encoding: 'utf8' })
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );

describe('the SSH configuration of a guest', () => {
  it('has its own user and file of host keys, whatever the user has; keys and jumps come from the user', async () => {
    const userConfig = join(root, 'config of user');
    writeFileSync(
      userConfig,
      'Host 10.20.0.*\n  User ann\n  IdentityFile /keys/guests\n  ProxyJump gate\n  StrictHostKeyChecking no\n  UserKnownHostsFile /elsewhere\n',
    );
    const knownHosts = join(root, 'dev.known_hosts');
    const config = await writeSshConfig(root, { environment: 'dev', address: '10.20.0.101', user: 'root', knownHosts, userConfig });
    expect(settings(config, '10.20.0.101')).toMatchObject({
      user: 'root',
      userknownhostsfile: knownHosts,
      globalknownhostsfile: '/dev/null',
      identityfile: '/keys/guests',
      proxyjump: 'gate',
    });
    expect(settings(config, '10.20.0.101').stricthostkeychecking).toMatch(/^(true|yes)$/);
    expect(statSync(config).mode & 0o777).toBe(0o600);
  });

  it('does without a configuration of the user', async () => {
    const config = await writeSshConfig(root, {
      environment: 'dev',
      address: '10.20.0.102',
      user: 'admin',
      knownHosts: join(root, 'k'),
      userConfig: join(root, 'none'),
    });
    expect(settings(config, '10.20.0.102')).toMatchObject({ user: 'admin', hostname: '10.20.0.102' });
  });
});
