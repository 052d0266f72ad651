import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '../engine/change.ts';
import type { Command, CommandResult } from '../engine/command.ts';
import { reveal, Secret } from '../engine/secret.ts';
import { type Found, type Handling, type Managed, type ManagedFile, planFile, planFiles } from './managed-file.ts';
import { managedFiles, mustBeFile } from './managed-look.ts';

/* With the real programs, in a folder of the test's own. */

const [user, group] = ['-un', '-gn'].map((flag) => execFileSync('id', [flag], { encoding: 'utf8' }).trim());
const owner = `${user}:${group}`;

let folder: string;
let file: ManagedFile;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'managed-'));
  file = { kind: 'file', path: join(folder, 'etc/app.conf'), content: 'port 1\n', mode: '0640', owner };
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(command: Command): CommandResult {
  const [program, ...rest] = command.argv;
  const { status, stdout, stderr } = spawnSync(program, rest, { input: reveal(command.stdin ?? ''), encoding: 'utf8' });
  return { command, code: status ?? 255, stdout, stderr };
}

function look(...wanted: Managed[]) {
  const fact = managedFiles(wanted);
  return fact.parse(run(fact.command));
}

function perform(commands: Change['commands']): void {
  for (const command of commands) expect('argv' in command && run(command)).toMatchObject({ code: 0, stderr: '' });
}

/** Looks, plans, applies, and expects nothing to be left to do. */
function settle(...wanted: Managed[]): Change[] {
  const changes = planFiles(wanted, look(...wanted));
  for (const { commands } of changes) perform(commands);
  expect(planFiles(wanted, look(...wanted))).toEqual([]);
  return changes;
}

it('what is not there is made, its missing parent too; the second time there is nothing to do', () => {
  const inner: Managed = { kind: 'folder', path: join(folder, 'data'), mode: '0700', owner };
  const link: Managed = { kind: 'link', path: join(folder, 'current'), target: 'data' };
  const changes = settle(file, inner, link);
  expect(changes.map(({ action, resource }) => `${action} ${resource.replace(folder, '')}`)).toEqual([
    'create file /etc/app.conf',
    'create folder /data',
    'create link /current',
  ]);
  expect([statSync(file.path).mode & 0o777, readFileSync(file.path, 'utf8')]).toEqual([0o640, 'port 1\n']);
  for (const { undo = [] } of changes) perform(undo);
  expect(look(file, link)).toEqual({ [file.path]: null, [link.path]: null });
});

it('a mode that is another is drift, and is set without a touch to the content', () => {
  settle(file);
  const written = statSync(file.path).mtimeMs;
  chmodSync(file.path, 0o644);
  const [change] = settle(file);
  expect(change).toMatchObject({
    action: 'update',
    before: { mode: '0644' },
    after: { mode: '0640' },
    because: 'its mode or owner is not what it should be',
  });
  expect(statSync(file.path).mtimeMs).toBe(written);
  perform(change?.undo ?? []);
  expect(statSync(file.path).mode & 0o777).toBe(0o644);
});

it('an owner that is another is drift', () => {
  const found: Found = { kind: 'file', same: true, mode: '640', owner: 'nobody:nogroup' };
  const [change] = planFile(file, found);
  expect(change).toMatchObject({ before: { owner: 'nobody:nogroup' }, after: { owner } });
  expect(change?.commands).toMatchObject([{ argv: ['chown', owner, file.path] }, { argv: ['chmod', '0640', file.path] }]);
});

it('another content is written, and the former one comes back with its mode', () => {
  settle(file);
  writeFileSync(file.path, 'port 2\n');
  chmodSync(file.path, 0o600);
  const [change] = planFile(file, { kind: 'file', same: false, text: 'port 2\n', mode: '600', owner });
  expect(change).toMatchObject({ before: { mode: '0600', content: 'differs' }, after: { mode: '0640', content: 'port 1' } });
  perform(change?.commands ?? []);
  expect(readFileSync(file.path, 'utf8')).toBe('port 1\n');
  perform(change?.undo ?? []);
  expect([statSync(file.path).mode & 0o777, readFileSync(file.path, 'utf8')]).toEqual([0o600, 'port 2\n']);
});

it('a secret is in no argument and in nothing that is shown', () => {
  const secret = { ...file, content: new Secret('hunter2-hunter2') };
  const [change] = planFile(secret, { kind: 'file', same: false, mode: '640', owner });
  expect(JSON.stringify([change, managedFiles([secret]).command])).not.toMatch(/hunter2|aHVudGVy/);
  expect(change?.undo).toMatchObject([{ argv: expect.arrayContaining([`/run/mooring/former${file.path}`]) }]);
});

describe('what is of another kind is refused, and left alone', () => {
  const inTheWay: [string, () => void, string][] = [
    ['a link', () => symlinkSync('/etc/hostname', join(folder, 'etc/app.conf')), 'but it is a link'],
    ['a folder', () => mkdirSync(join(folder, 'etc/app.conf')), 'but it is a folder'],
    ['a pipe', () => execFileSync('mkfifo', [join(folder, 'etc/app.conf')]), 'but it is a special file'],
  ];
  it.each(inTheWay)('%s in the place of a file', (_, put, words) => {
    mkdirSync(join(folder, 'etc'));
    put();
    expect(() => planFiles([file], look(file))).toThrow(`${file.path} is to be a file, ${words}`);
  });

  it.each([
    ['l', 'link'],
    ['d', 'folder'],
    ['p', 'special file'],
  ])('as a look of its own tells it: %s', (letter, kind) => {
    expect(() => mustBeFile('/etc/x.conf', letter)).toThrow(`/etc/x.conf is to be a file, but it is a ${kind}`);
    expect(() => mustBeFile('/etc/x.conf', '-')).not.toThrow();
  });
});

describe('what has to happen when a file changes', () => {
  const follows: Handling = { follows: [{ argv: ['systemctl', 'daemon-reload'], effect: 'write' }] };
  const programs = (found: Found) =>
    planFile(file, found, follows).map(({ commands, undo = [] }) =>
      [commands, undo].map((all) => all.some((c) => 'argv' in c && c.argv[1] === 'daemon-reload')),
    );

  it('happens after another content, and after the former one is put back', () => {
    expect(programs(null)).toEqual([[true, true]]);
    expect(programs({ kind: 'file', same: false, mode: '640', owner })).toEqual([[true, true]]);
  });

  it('does not happen for mode and owner', () => {
    expect(programs({ kind: 'file', same: true, mode: '644', owner })).toEqual([[false, false]]);
  });
});

it.each<[string, Partial<Pick<Change, 'before' | 'after'>>, unknown, unknown]>([
  ['records', { before: { a: 1 }, after: { a: 2 } }, { a: 1, mode: '0644' }, { a: 2, mode: '0640' }],
  ['lines', { before: ['a'], after: ['b'] }, ['a', 'mode 0644'], ['b', 'mode 0640']],
  ['words', { before: 'a', after: 'b' }, { content: 'a', mode: '0644' }, { content: 'b', mode: '0640' }],
])('a mode that differs too is shown beside the content: %s', (_, shown, before, after) => {
  const found: Found = { kind: 'file', same: false, text: 'x', mode: '644', owner };
  expect(planFile(file, found, { show: () => shown })).toMatchObject([{ before, after }]);
});
