import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { INCUS } from '../tools/executors/src/platforms/incus/command.ts';
import { shellProgram } from '../tools/executors/src/shell/program.ts';

const root = join(import.meta.dirname, '..');
const SOURCES = 'tools/executors/src';

const listed = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(root, file)));
const sent = listed(`${SOURCES}/**/*.sh`);
const modules = listed(`${SOURCES}/**/*.ts`).map((file) => ({ folder: dirname(file), text: readFileSync(join(root, file), 'utf8') }));

/** What shellcheck has to say. It is part of what the tests need: without it they fail. */
function shellcheck(...args: string[]): string {
  const { error, stdout, stderr } = spawnSync('shellcheck', args, { cwd: root, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`shellcheck did not run: ${error.message}. To install it: test/lab/lab.sh shellcheck`);
  return stdout + stderr;
}

it('shellcheck finds nothing in what is sent to hosts', { timeout: 120_000 }, () => {
  expect(shellcheck(...sent)).toBe('');
});

it('shellcheck warns of nothing in the scripts of the lab and of the virtual machine', { timeout: 120_000 }, () => {
  expect(shellcheck('-x', '-a', '-S', 'warning', 'test/lab/lab.sh', 'test/acceptance/vm.sh', '.ci/run')).toBe('');
});

it('every incus that a program calls is the one of the very host', () => {
  const calls = sent.flatMap((file) => readFileSync(join(root, file), 'utf8').split('\n')).filter((line) => /^[^#]*\bincus /.test(line));
  expect(calls.filter((line) => !line.includes(`${INCUS} `))).toEqual([]);
  expect(calls.length).toBeGreaterThan(0);
});

/** A program as bash understands it, without what it does not: comments and layout. */
function understood(text: string): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `program() {\n${text}\n}; declare -f program`], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

describe.each(sent)('%s', (file) => {
  const path = join(root, file);

  it('is sent without its comments, and nothing but comments is left out', () => {
    const text = shellProgram(pathToFileURL(path).href, path);
    expect(text).not.toMatch(/^[ \t]*#/m);
    expect(understood(text)).toBe(understood(readFileSync(path, 'utf8')));
  });

  it('is read by a module beside it', () => {
    const beside = modules.filter(({ folder }) => folder === dirname(file));
    expect(beside.filter(({ text }) => text.includes(`'${basename(file)}'`))).toHaveLength(1);
  });
});
