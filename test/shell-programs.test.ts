import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { shellProgram } from '../tools/executors/src/shell/program.ts';

const root = join(import.meta.dirname, '..');
const SOURCES = 'tools/executors/src';

const listed = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && spawnSync('test', ['-e', join(root, file)]).status === 0);
const sent = listed(`${SOURCES}/**/*.sh`);

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
    const folder = dirname(file);
    const modules = listed(`${folder}/*.ts`).filter((module) => dirname(module) === folder);
    const name = `'${relative(folder, file)}'`;
    expect(modules.filter((module) => readFileSync(join(root, module), 'utf8').includes(name))).toHaveLength(1);
  });
});
