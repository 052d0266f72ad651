import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArtifactSpec } from '../engine/service.ts';
import { available } from './available.ts';
import { doing, isNewEnough } from './go.ts';
import { obtain } from './store.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mooring-go-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const spec = { kind: 'go', module: 'example.test/tools/hello', version: 'v1.2.3' } as const satisfies ArtifactSpec;

it.each([
  ['go1.26.8', true],
  ['go1.21', true],
  ['go1.22rc1', true],
  ['devel go1.27-abcdef', true],
  ['go2.0', true],
  ['go1.20.14', false],
  ['go1.9', false],
  ['', false],
])('%s is new enough: %s', (version, expected) => {
  expect(isNewEnough(version)).toBe(expected);
});

describe('without a usable Go', () => {
  it('says that there is none', async () => {
    expect(await available(spec, { root, env: { PATH: '/nonexistent' } })).toEqual({
      ok: false,
      because: 'hello v1.2.3 (amd64) cannot be obtained: there is no Go on this machine to build with',
      next: expect.stringContaining('install Go 1.21 or newer'),
    });
  });

  it('lets it see nothing of the environment that is not about Go', async () => {
    const bin = join(root, 'curious');
    await mkdir(bin);
    await writeFile(join(bin, 'go'), '#!/bin/sh\nenv > "$0.seen"\nexit 1\n');
    await chmod(join(bin, 'go'), 0o755);
    await available(spec, {
      root,
      env: { PATH: `${bin}:/usr/bin:/bin`, HOME: root, GOPROXY: 'off', MOORING_LOCAL_MINIO_SECRET_KEY: 'x', GITHUB_TOKEN: 'x' },
    });
    const seen = await readFile(join(bin, 'go.seen'), 'utf8');
    expect(seen.split('\n').map((line) => line.split('=')[0])).toEqual(expect.arrayContaining(['PATH', 'HOME', 'GOPROXY']));
    expect(seen).not.toMatch(/SECRET|TOKEN/);
  });

  it('says that it is too old', async () => {
    const bin = join(root, 'old');
    await mkdir(bin);
    await writeFile(join(bin, 'go'), '#!/bin/sh\necho \'{"GOVERSION":"go1.19.8","GOMODCACHE":"/x"}\'\n');
    await chmod(join(bin, 'go'), 0o755);
    const answer = await available(spec, { root, env: { PATH: `${bin}:/usr/bin:/bin` } });
    expect(answer).toMatchObject({
      ok: false,
      because: expect.stringContaining('Go on this machine is go1.19.8; 1.21 or newer is needed'),
    });
  });
});

it.each([
  ['go: downloading github.com/minio/madmin-go/v3 v3.0.1', 'downloading github.com/minio/madmin-go/v3 v3.0.1'],
  ['github.com/minio/minio/cmd', 'compiling github.com/minio/minio/cmd'],
  ['internal/abi', 'compiling internal/abi'],
  ['fmt', 'compiling fmt'],
  ['# github.com/minio/minio/cmd', undefined],
  ['cmd/main.go:3:1: syntax error', undefined],
  ['', undefined],
])('%j of Go says: %j', (line, what) => expect(doing(line)).toBe(what));

/** Go reads modules from a folder as from a proxy; so nothing is fetched from anywhere. */
describe.skipIf(!hasGo())('with Go (skipped where there is none)', () => {
  let env: Record<string, string | undefined>;

  beforeAll(async () => {
    const proxy = join(root, 'proxy/example.test/tools/hello/@v');
    await mkdir(proxy, { recursive: true });
    const mod = 'module example.test/tools/hello\n\ngo 1.21\n';
    const main = 'package main\n\nvar Version = "unknown"\n\nfunc main() { println(Version) }\n';
    await writeFile(join(proxy, 'list'), 'v1.2.3\n');
    await writeFile(join(proxy, 'v1.2.3.info'), '{"Version":"v1.2.3"}');
    await writeFile(join(proxy, 'v1.2.3.mod'), mod);
    await writeFile(
      join(proxy, 'v1.2.3.zip'),
      zip({ 'example.test/tools/hello@v1.2.3/go.mod': mod, 'example.test/tools/hello@v1.2.3/main.go': main }),
    );
    env = {
      ...process.env,
      GOPROXY: `file://${join(root, 'proxy')}`,
      GOSUMDB: 'off',
      GOMODCACHE: join(root, 'mod'),
      GOFLAGS: '-modcacherw',
      HOMELESS_SECRET: 'x',
    };
  });

  it('builds a static program once, with what the linker is to say', { timeout: 120_000 }, async () => {
    const versioned = { ...spec, variables: { 'main.Version': 'it is 1.2.3' } };
    expect(await available(versioned, { root, env })).toEqual({ ok: true, how: 'build' });
    const lines: string[] = [];
    const built = await obtain(versioned, { root, env, progress: (line) => lines.push(line) });
    expect(lines[0]).toMatch(/^hello v1\.2\.3 \(amd64\): building with go1\./);
    if (process.arch === 'x64') expect(spawnSync(built.path).stderr.toString()).toBe('it is 1.2.3\n');
    expect((await readFile(built.path)).includes('it is 1.2.3')).toBe(true);
    expect((await readFile(built.path)).includes(root)).toBe(false);
    // No Go is needed any more.
    expect(await obtain(versioned, { root, env: { PATH: '' } })).toEqual(built);
    expect(await available(versioned, { root, env: { PATH: '' } })).toEqual({ ok: true, how: 'stored' });
  });

  it('builds for another processor', { timeout: 120_000 }, async () => {
    const { path } = await obtain({ ...spec, arch: 'arm64' }, { root, env });
    expect((await readFile(path)).readUInt16LE(18)).toBe(183);
  });

  it('tells in the words of Go that a version is not there', { timeout: 60_000 }, async () => {
    const unknown = { ...spec, version: 'v9.9.9' };
    expect(await available(unknown, { root, env })).toMatchObject({
      ok: false,
      because: expect.stringMatching(/Go cannot get example\.test\/tools\/hello@v9\.9\.9: go: .*v9\.9\.9/s),
    });
    await expect(obtain(unknown, { root, env })).rejects.toThrow('example.test/tools/hello@v9.9.9 could not be built');
  });
});

function hasGo(): boolean {
  try {
    return isNewEnough(execFileSync('go', ['env', 'GOVERSION'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
  } catch {
    return false;
  }
}

/** A zip archive, nothing compressed (PKWARE APPNOTE 4.3). */
function zip(files: Record<string, string>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const data = Buffer.from(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), data]);
    central.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, tail, Buffer.from(name));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(Object.keys(files).length, 4);
  end.writeUInt16LE(Object.keys(files).length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\x05\x06'), end]);
}
