import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readVersions } from '../world/git.ts';
import { hostsOfVersions, namedHosts } from './hosts.ts';

test('the hosts that a file names', () => {
  expect(namedHosts({ host: 'b', containers: { redis: { host: 'a' }, minio: {}, postgres: { host: 'b' } } })).toEqual(['a', 'b']);
});

test('the hosts that its versions named, each with the newest commit, whatever else stood in them', () => {
  const version = (commit: string, text: unknown) => ({ commit, text: typeof text === 'string' ? text : JSON.stringify(text) });
  const versions = [
    version('4', { host: 'b', containers: { redis: { host: 'c', settings: { host: 'no host of ours' } } } }),
    version('3', { host: 'a', containers: 'an old form', more: 1 }),
    version('2', '{ "host": '),
    version('1', { host: 'a', containers: { redis: 'old', minio: { host: 7 } } }),
    version('1', { host: '-oProxyCommand=x', containers: { redis: { host: 'a b' } } }),
    version('0', ['host']),
  ];
  expect(hostsOfVersions(versions)).toEqual([
    { host: 'b', commit: '4' },
    { host: 'c', commit: '4' },
    { host: 'a', commit: '3' },
  ]);
});

describe('the versions of a file, from git', () => {
  let root: string;
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'commit.gpgsign=false', ...args], { cwd }).toString();
  const commit = (text: string) => {
    writeFileSync(join(root, 'sub/infra/x.json'), text);
    git(root, 'add', '-A');
    git(root, 'commit', '-qm', 'x');
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mooring-versions-'));
    mkdirSync(join(root, 'sub/infra'), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test('newest first, also of a workspace below the repository, and where a commit took the file away', async () => {
    git(root, 'init', '-q');
    commit('{"host":"é"}\n');
    git(root, 'rm', '-q', 'sub/infra/x.json');
    git(root, 'commit', '-qm', 'away');
    mkdirSync(join(root, 'sub/infra'), { recursive: true });
    commit('two\n\nlines');
    commit('');
    const versions = await readVersions(join(root, 'sub'), 'infra/x.json');
    expect(versions).toMatchObject([{ text: '' }, { text: 'two\n\nlines' }, { text: '{"host":"é"}\n' }]);
    expect(await readVersions(join(root, 'sub'), 'infra/never.json')).toEqual([]);
  });

  test('are not known in a shallow clone, nor without a repository, nor before the first commit', async () => {
    expect(await readVersions(root, 'sub/infra/x.json')).toEqual({ unknown: expect.stringContaining('not a git repository') });
    git(root, 'init', '-q');
    expect(await readVersions(root, 'sub/infra/x.json')).toEqual({ unknown: expect.stringContaining('does not have any commits yet') });
    commit('1');
    commit('2');
    git(root, 'clone', '-q', '--depth=1', `file://${root}`, 'shallow');
    expect(await readVersions(join(root, 'shallow'), 'sub/infra/x.json')).toEqual({
      unknown: expect.stringContaining('shallow'),
      next: 'git fetch --unshallow',
    });
  });
});
