import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openHost } from '../../tools/executors/src/hosts/index.ts';
import { refusedBy } from './refused.ts';
import { knownLine, startSshd, type TestSshd } from './sshd.ts';

let sshd: TestSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const open = (host = 'contract') => openHost({ host, sshConfig: sshd.config });
const refused = (host: string) => refusedBy(sshd, host);

describe('host keys', () => {
  const other = () => join(sshd.folder, 'other.pub');
  let kept: string;
  beforeAll(() => {
    kept = readFileSync(sshd.knownHosts, 'utf8');
  });
  afterEach(() => writeFileSync(sshd.knownHosts, kept));

  test('an unknown host key is refused, with its fingerprint and the command that adds it', async () => {
    writeFileSync(sshd.knownHosts, '');
    const error = await refused('contract');
    const print = execFileSync('ssh-keygen', ['-lf', join(sshd.folder, 'host.pub')], { encoding: 'utf8' }).split(' ')[1] as string;
    expect(error.message).toContain('is unknown');
    expect(error.message).toContain(print);
    expect(error.detail.next).toContain(`ssh-keyscan -t ed25519 -p ${sshd.port} 127.0.0.1 >> '${sshd.knownHosts}'`);
  });

  test('the command of the message adds the key', async () => {
    writeFileSync(sshd.knownHosts, '');
    sshd.alias('renamed', 'HostKeyAlias renamed-host');
    const { next = '' } = (await refused('renamed')).detail;
    const add = next.slice(next.indexOf('echo '));
    execFileSync('sh', ['-c', add]);
    await (await open('renamed')).close();
  });

  test('a changed host key is refused, with file and line, and the commands that remove and add it', async () => {
    writeFileSync(sshd.knownHosts, `# first line\n${knownLine(sshd.port, other())}`);
    const error = await refused('contract');
    expect(error.message).toContain('has changed');
    expect(error.message).toContain(`${sshd.knownHosts}:2`);
    expect(error.detail.next).toContain(`ssh-keygen -R '[127.0.0.1]:${sshd.port}' -f '${sshd.knownHosts}'`);
  });

  test('a host that has no key of the known kind any more is a changed one', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', join(sshd.folder, 'ecdsa')]);
    writeFileSync(sshd.knownHosts, knownLine(sshd.port, join(sshd.folder, 'ecdsa.pub')));
    const error = await refused('contract');
    expect(error.message).toContain('has changed');
    expect(error.message).toContain(`${sshd.knownHosts}:1`);
  });

  test('a revoked key is refused though it is known too', async () => {
    const key = readFileSync(join(sshd.folder, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    writeFileSync(sshd.knownHosts, `${kept}@revoked * ${key}\n`);
    expect((await refused('contract')).message).toContain(`is revoked: it offers ssh-ed25519 `);
  });

  test('hashed names and other entries of the same host are understood', async () => {
    writeFileSync(sshd.knownHosts, `${knownLine(sshd.port, other())}${kept}`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', sshd.knownHosts], { stdio: 'ignore' });
    expect(readFileSync(sshd.knownHosts, 'utf8')).toMatch(/^\|1\|/);
    await (await open()).close();
  });

  test('nothing was sent to log in before: the server saw no user', async () => {
    writeFileSync(sshd.knownHosts, '');
    const seen: string[] = [];
    const { port, close } = await recordingProxy(sshd.port, seen);
    sshd.alias('watched', `Port ${port}`);
    await refused('watched').finally(close);
    // Key exchange only: identification, KEXINIT, ECDH init; then the connection is given up before NEWKEYS.
    expect(seen.join('')).toMatch(/^SSH-2\.0-/);
    expect(Buffer.byteLength(seen.join(''), 'latin1')).toBeLessThan(4000);
    expect(seen.join('')).not.toContain('ssh-userauth');
  });
});

/** Passes bytes to sshd and keeps what we send. */
async function recordingProxy(to: number, seen: string[]): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => {
    const upstream = connect(to, '127.0.0.1');
    socket.on('data', (chunk) => seen.push(chunk.toString('latin1')));
    socket.on('error', () => {}).pipe(upstream);
    upstream.on('error', () => {}).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, close: () => void server.close() };
}
