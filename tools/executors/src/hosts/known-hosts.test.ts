import { describe, expect, test } from 'vitest';
import { hostKeyAlgorithms, judgeKey, type KnownKey, parseFound } from './known-hosts.ts';

const wire = (type: string, rest: string) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(rest)]);
};
const known = (type: string, rest: string, marker?: KnownKey['marker']): KnownKey => ({
  file: '/k',
  line: 1,
  type,
  key: wire(type, rest).toString('base64'),
  ...(marker && { marker }),
});

describe('parseFound reads ssh-keygen -F (OpenSSH 9.2)', () => {
  test('markers, hashed names, comments', () => {
    const output = `# Host h found: line 1 REVOKED
@revoked * ssh-ed25519 AAAAC3Nz
# Host h found: line 3 
|1|aH57SY+Lx97m0KCdgyqGUijNgHQ=|moIRX8gCcpUWqhTuzo1VFxWl08g= ssh-rsa AAAAB3Nz root@vm and more
# Host h found: line 4 CA
@cert-authority *.x,h ecdsa-sha2-nistp256 AAAAE2Vj root@vm
`;
    expect(parseFound(output, '/k')).toEqual([
      { file: '/k', line: 1, type: 'ssh-ed25519', key: 'AAAAC3Nz', marker: 'revoked' },
      { file: '/k', line: 3, type: 'ssh-rsa', key: 'AAAAB3Nz' },
      { file: '/k', line: 4, type: 'ecdsa-sha2-nistp256', key: 'AAAAE2Vj', marker: 'cert-authority' },
    ]);
    expect(parseFound('', '/k')).toEqual([]);
  });

  test.each(['hello', '# Host h found: line 1', '# Host h found: line x\nh ssh-rsa AAAA', '# Host h found: line 1 NEW\nh ssh-rsa AAAA'])(
    'anything else stops the run: %j',
    (output) => {
      expect(() => parseFound(output, '/k')).toThrow('not understood');
    },
  );
});

describe('hostKeyAlgorithms', () => {
  const preferred = [
    'ssh-ed25519-cert-v01@openssh.com',
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'sk-ssh-ed25519@openssh.com',
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-rsa',
  ];

  test('asks only for kinds that are known, in the preferred order', () => {
    expect(hostKeyAlgorithms([known('ssh-rsa', 'a')], preferred)).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
    expect(hostKeyAlgorithms([known('ssh-rsa', 'a'), known('ssh-ed25519', 'b')], preferred)).toEqual([
      'ssh-ed25519',
      'rsa-sha2-512',
      'rsa-sha2-256',
    ]);
  });

  test('asks for all usable ones when none is known, or only marked ones; never for SHA-1', () => {
    const all = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'];
    expect(hostKeyAlgorithms([], preferred)).toEqual(all);
    expect(hostKeyAlgorithms([known('ssh-rsa', 'a', 'revoked'), known('ssh-ed25519', 'a', 'cert-authority')], preferred)).toEqual(all);
  });
});

describe('judgeKey', () => {
  const offered = wire('ssh-ed25519', 'mine');
  test('known by any of its lines', () => {
    expect(judgeKey([known('ssh-ed25519', 'old'), known('ssh-ed25519', 'mine')], offered)).toBe('known');
  });
  test('unknown: no line, or a certificate authority only', () => {
    expect(judgeKey([], offered)).toBe('unknown');
    expect(judgeKey([known('ssh-ed25519', 'mine', 'cert-authority')], offered)).toBe('unknown');
  });
  test('changed: another key is known', () => {
    expect(judgeKey([known('ssh-rsa', 'x'), known('ssh-ed25519', 'old')], offered)).toEqual({ changed: known('ssh-ed25519', 'old') });
    expect(judgeKey([known('ssh-rsa', 'x')], offered)).toEqual({ changed: known('ssh-rsa', 'x') });
  });
  test('revoked wins over known', () => {
    const revoked = known('ssh-ed25519', 'mine', 'revoked');
    expect(judgeKey([known('ssh-ed25519', 'mine'), revoked], offered)).toEqual({ revoked });
    expect(judgeKey([known('ssh-ed25519', 'mine'), known('ssh-ed25519', 'other', 'revoked')], offered)).toBe('known');
  });
});
