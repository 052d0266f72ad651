import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { InputError, showError } from '../engine/errors.ts';
import { readGit } from '../world/git.ts';
import { type ReleaseRequest, resolveRelease } from './release.ts';

const A = 'a'.repeat(40);
const B = '0123456789abcdef0123456789abcdef01234567';
const clean: ReleaseRequest = {
  flag: undefined,
  variable: undefined,
  environment: 'staging',
  allowDirty: false,
  written: [],
  git: { head: A, changes: [] },
};

describe('which release', () => {
  it.each([
    ['HEAD when nothing is said', {}, A],
    ['MOORING_RELEASE before HEAD', { variable: B }, B],
    ['--release before MOORING_RELEASE', { flag: B, variable: A }, B],
  ])('%s', (_, request, sha) => {
    expect(resolveRelease({ ...clean, ...request })).toEqual({ sha, dirty: false });
  });

  it.each([
    ['39 digits', B.slice(1), 'it has 39 digits'],
    ['41 digits', `${B}0`, 'it has 41 digits'],
    ['upper case', B.toUpperCase(), 'it has upper-case digits'],
    ['a newline at the end', `${B}\n`, 'it has a newline in it'],
    ['a newline inside', `${B.slice(0, 20)}\n${B.slice(20)}`, 'it has a newline in it'],
    ['a carriage return', `${B}\r`, 'it has a newline in it'],
    ['a space', `${B} `, 'it has a space in it'],
    ['empty', '', 'it is empty'],
    ['a branch name', 'main', '"m" is not a hex digit'],
    ['a digit that only looks like one', B.replace('a', 'а'), '"а" is not a hex digit'],
  ])('refuses %s, as a flag and as a variable', (_, value, fault) => {
    expect(() => resolveRelease({ ...clean, flag: value })).toThrow(
      `--release: ${fault}; expected the 40 lower-case hex digits of a commit`,
    );
    expect(() => resolveRelease({ ...clean, variable: value })).toThrow(`MOORING_RELEASE: ${fault}; expected`);
  });

  it('refuses a HEAD of SHA-256, but not a release that is named', () => {
    const git = { head: A + B.slice(0, 24), changes: [] };
    expect(() => resolveRelease({ ...clean, git })).toThrow(
      'this repository names its commits by SHA-256, and a release has 40 hex digits',
    );
    expect(resolveRelease({ ...clean, flag: B, git }).sha).toBe(B);
  });

  it('does not let a right variable stand in for a wrong flag', () => {
    expect(() => resolveRelease({ ...clean, flag: '', variable: B })).toThrow('--release: it is empty');
  });
});

describe('a dirty work tree', () => {
  it('is clean where only what a run writes itself has changed, in a workspace that is a folder of its repository too', () => {
    const written = ['infra/environments/staging.known_hosts'];
    const changes = ['infra/environments/staging.known_hosts', 'deploy/infra/environments/staging.known_hosts'];
    expect(resolveRelease({ ...clean, written, git: { head: A, changes } })).toEqual({ sha: A, dirty: false });
    expect(() => resolveRelease({ ...clean, written, git: { head: A, changes: [...changes, 'my.known_hosts'] } })).toThrow(
      '(my.known_hosts)',
    );
  });

  const git = { head: A, changes: ['infra/redis/container.json', 'notes'] };

  it('is refused outside local, whoever names the release', () => {
    expect(() => resolveRelease({ ...clean, git })).toThrow(
      'the work tree has uncommitted changes (infra/redis/container.json and 1 more): staging would not be what the release says',
    );
    expect(() => resolveRelease({ ...clean, flag: B, git })).toThrow(InputError);
  });

  it('is taken in local, and elsewhere with --allow-dirty', () => {
    expect(resolveRelease({ ...clean, environment: 'local', git })).toEqual({ sha: A, dirty: true });
    expect(resolveRelease({ ...clean, allowDirty: true, git })).toEqual({ sha: A, dirty: true });
  });

  it('cannot be excluded without git', () => {
    const none = new InputError('git cannot say which release this is');
    expect(() => resolveRelease({ ...clean, git: none })).toThrow(none);
    expect(() => resolveRelease({ ...clean, flag: B, git: none })).toThrow(none);
    expect(resolveRelease({ ...clean, flag: B, allowDirty: true, git: none })).toEqual({ sha: B, dirty: true });
    expect(resolveRelease({ ...clean, flag: B, environment: 'local', git: none })).toEqual({ sha: B, dirty: true });
  });
});

describe('git', () => {
  const folders: string[] = [];
  afterEach(() => {
    vi.unstubAllEnvs();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), "mooring 'git' "));
    folders.push(made);
    return made;
  };
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.invalid', ...args], { cwd, stdio: 'pipe' });

  it('tells HEAD and every change, untracked files too', async () => {
    const root = folder();
    git(root, 'init', '-q');
    writeFileSync(join(root, 'a'), '1');
    git(root, 'add', 'a');
    git(root, 'commit', '-qm', 'first');
    const head = git(root, 'rev-parse', 'HEAD').toString().trim();
    expect(await readGit(root)).toEqual({ head, changes: [] });
    writeFileSync(join(root, 'a'), '2');
    writeFileSync(join(root, 'b "\n'), '');
    git(root, 'config', 'status.showUntrackedFiles', 'no');
    expect(await readGit(root)).toEqual({ head, changes: ['a', 'b "\n'] });
  });

  const commit = (root: string) => git(root, 'commit', '-q', '--allow-empty', '-m', 'x');

  it('needs no branch, and no history', async () => {
    const root = folder();
    git(root, 'init', '-q');
    commit(root);
    commit(root);
    const clone = folder();
    git(clone, 'clone', '-q', '--depth=1', `file://${root}`, '.');
    git(clone, 'checkout', '-q', '--detach');
    expect(await readGit(clone)).toEqual({ head: git(root, 'rev-parse', 'HEAD').toString().trim(), changes: [] });
  });

  const said = async (root: string) => {
    const answer = await readGit(root);
    expect(answer).toBeInstanceOf(InputError);
    return showError(answer).replaceAll(root, '<root>');
  };

  it('says that there is no repository', async () => {
    expect(await said(folder())).toMatch(
      /^git cannot say which release this is: <root> is not inside a git repository\n {2}next: {4}git init, then commit; or without git: --release=/,
    );
  });

  it('says of a worktree or submodule whose repository is not there which that is', async () => {
    const root = folder();
    writeFileSync(join(root, '.git'), 'gitdir: /srv/elsewhere/.git/worktrees/a b\n');
    expect(await said(root)).toContain(
      '<root> is a worktree or a submodule, and its repository /srv/elsewhere/.git/worktrees/a b is not there\n',
    );
  });

  it('says that there is no commit yet, also on a branch without one', async () => {
    const root = folder();
    git(root, 'init', '-q');
    const none =
      /^git cannot say which release this is: this repository, or the branch that is checked out, has no commit yet\n {2}next: {4}git add --all && git commit\n/;
    expect(await said(root)).toMatch(none);
    commit(root);
    git(root, 'checkout', '-q', '--orphan', 'new');
    expect(await said(root)).toMatch(none);
  });

  it.each([
    [
      'the repository of another user',
      `echo "fatal: detected dubious ownership in repository at '/srv/our's'" >&2; exit 128`,
      "git cannot say which release this is: /srv/our's belongs to another user\n  next:    git config --global --add safe.directory '/srv/our'\\''s', if",
    ],
    [
      'anything else',
      'echo "fatal: bad object HEAD" >&2; exit 128',
      'git cannot say which release this is\n  stderr:  fatal: bad object HEAD\n',
    ],
  ])('says what git says: %s', async (_, script, words) => {
    expect(await said(gitIs(script))).toContain(words);
  });

  /** A git of one's own, first in PATH. */
  const gitIs = (script: string) => {
    const root = folder();
    writeFileSync(join(root, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${root}:/bin:/usr/bin`);
    return root;
  };

  it('gives git its configuration by variables, and nothing else of ours', async () => {
    for (const [name, value] of Object.entries({
      ...{ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*', XDG_CONFIG_HOME: '/x' },
      ...{ GIT_DIR: '/elsewhere', GIT_TERMINAL_PROMPT: '1', MOORING_LOCAL_PASSWORD: 'hunter2' },
    }))
      vi.stubEnv(name, value);
    const root = gitIs('env | grep -E "^(GIT_|XDG_|MOORING)" | sort | tr "\\n" " " >&2; exit 128');
    expect(await said(root)).toContain(
      'GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=* GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 XDG_CONFIG_HOME=/x',
    );
  });

  it('does not wait for a git that waits', async () => {
    const answer = await readGit(gitIs('exec sleep 60'), 100);
    expect(showError(answer)).toMatch(/git cannot say which release this is\n {2}stderr: {2}git \S+ gave no answer within 0.1 s\n/);
  });

  it('says that git is not installed', async () => {
    const root = folder();
    vi.stubEnv('PATH', root);
    expect(await said(root)).toContain('git cannot say which release this is: it is not installed on this machine\n  next:    install git');
  });
});
