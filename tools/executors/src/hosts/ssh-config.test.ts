import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { parseSshSettings } from './ssh-config.ts';

const base = {
  hostname: 'db.example.net',
  port: '22',
  user: 'deploy',
  hostkeyalgorithms: 'ssh-ed25519,rsa-sha2-512',
  identitiesonly: 'no',
  addressfamily: 'any',
  connecttimeout: 'none',
  serveraliveinterval: '0',
  serveralivecountmax: '3',
  globalknownhostsfile: '/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2',
  userknownhostsfile: '/home/x/.ssh/known_hosts',
};
const parse = (changes: Record<string, string | string[] | undefined> = {}, variables = {}) => {
  const lines = Object.entries({ ...base, ...changes }).flatMap(([key, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${key} ${one}\n`),
  );
  return parseSshSettings(lines.join(''), 'db', '/c', variables);
};
const home = userInfo().homedir;

describe('parseSshSettings reads ssh -G', () => {
  test('the plain case', () => {
    expect(parse({ identityfile: ['~/.ssh/id_ed25519', '~/.ssh/%h_key'], certificatefile: '~/.ssh/ca/%h-cert.pub' })).toEqual({
      alias: 'db',
      config: '/c',
      hostname: 'db.example.net',
      port: 22,
      user: 'deploy',
      hostKeyName: 'db.example.net',
      hostKeyAlias: false,
      hostKeyAlgorithms: ['ssh-ed25519', 'rsa-sha2-512'],
      knownHosts: ['/home/x/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
      identityFiles: [`${home}/.ssh/id_ed25519`, `${home}/.ssh/db.example.net_key`],
      certificateFiles: [`${home}/.ssh/ca/db.example.net-cert.pub`],
      identitiesOnly: false,
      connectTimeoutMs: 15_000,
      keepAliveMs: 15_000,
      keepAliveCount: 3,
    });
  });

  test('times, family and what is not to be read', () => {
    const settings = parse({
      connecttimeout: '4',
      serveraliveinterval: '7',
      addressfamily: 'inet6',
      globalknownhostsfile: '/dev/null',
      identityfile: 'none',
    });
    expect(settings).toMatchObject({
      connectTimeoutMs: 4000,
      keepAliveMs: 7000,
      family: 6,
      knownHosts: ['/home/x/.ssh/known_hosts'],
      identityFiles: [],
    });
  });

  test('the name in known_hosts: with the port, or the alias alone', () => {
    expect(parse({ port: '2222' }).hostKeyName).toBe('[db.example.net]:2222');
    expect(parse({ port: '2222', hostkeyalias: 'main' })).toMatchObject({ hostKeyName: 'main', hostKeyAlias: true });
  });

  test('the agent: ours, another one, none', () => {
    const ours = { SSH_AUTH_SOCK: '/a', OTHER: '/b' };
    expect(parse({}, ours).agent).toBe('/a');
    expect(parse({}).agent).toBeUndefined();
    expect(parse({ identityagent: 'SSH_AUTH_SOCK' }, ours).agent).toBe('/a');
    expect(parse({ identityagent: '$OTHER' }, ours).agent).toBe('/b');
    expect(parse({ identityagent: '~/s x/${OTHER}' }, ours).agent).toBe(`${home}/s x//b`);
    expect(parse({ identityagent: 'none' }, ours).agent).toBeUndefined();
  });

  test('jumps become ssh -W, as in OpenSSH; a proxy command gets its tokens', () => {
    const common = ['-o', 'BatchMode=yes', '-W', 'db.example.net:22', '--'];
    expect(parse({ proxyjump: 'gate' }).proxy).toEqual(['ssh', '-F', '/c', ...common, 'gate']);
    expect(parse({ proxyjump: 'a,b,me@gate:2200' }).proxy).toEqual(['ssh', '-F', '/c', '-J', 'a,b', ...common, 'ssh://me@gate:2200']);
    // As ssh -G writes addresses, with and without a port.
    expect(parse({ proxyjump: 'a,me@[10.0.0.1]' }).proxy?.slice(3)).toEqual(['-J', 'a', ...common, 'ssh://me@[10.0.0.1]']);
    expect(parse({ proxyjump: '[fd00::1]' }).proxy?.at(-1)).toBe('ssh://[fd00::1]');
    expect(parse({ proxyjump: 'me@[fd00::1]:2200' }).proxy?.at(-1)).toBe('ssh://me@[fd00::1]:2200');
    expect(parse({ proxyjump: 'gate', hostname: '::1' }).proxy?.[6]).toBe('[::1]:22');
    expect(parse({ proxycommand: 'nc %h %p # %r %n %%' }).proxy).toEqual(['sh', '-c', 'exec nc db.example.net 22 # deploy db %']);
    expect(parse({ proxyjump: 'none', proxycommand: 'none' }).proxy).toBeUndefined();
  });

  test.each([
    ['a token that we do not know', { identityfile: '/k/%Z' }, '%Z'],
    ['RevokedHostKeys, which we cannot check', { revokedhostkeys: '/r' }, 'RevokedHostKeys'],
    ['no host name', { hostname: undefined }, 'gave no hostname'],
  ])('refused: %s', (_, changes, message) => {
    expect(() => parse(changes)).toThrow(message);
  });
});
