import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Workspace } from '../e2e/workspace.ts';
import { copyRepository } from './copy.ts';

/* Nx makes numbers and truths of what was typed. What is told before a host is asked tells what reached the executor. */

let copy: Workspace;
beforeAll(async () => {
  copy = await copyRepository();
});
afterAll(() => rm(copy.root, { recursive: true, force: true }));

it.each([
  ['nx run', ['run', 'zfs:rollback', '-c', 'local'], ['--release=0e12345678']],
  ['nx run p:t:c', ['run', 'zfs:rollback:local'], ['--release=123456789012']],
  ['nx <target> <project>', ['rollback', 'zfs', '-c', 'local'], ['--release', '0x10']],
  ['run-many', ['run-many', '-t', 'rollback', '-p', 'zfs', '-c', 'local'], ['--release', '1e3']],
])('%s: what reads as a number reaches the executor as it was typed', async (_, args, flags) => {
  const { code, output } = await copy.nx([...args, ...flags, '--output-style=static']);
  expect(code, output).toBe(1);
  expect(output).toContain(`${flags.join('=')} is not taken`);
});

it.each([
  ['in a batch', []],
  ['each task by itself', ['--batch=false']],
])('what is given twice is refused, %s', async (_, flags) => {
  const args = [
    'run-many',
    '-t',
    'plan',
    '-p',
    'redis,minio',
    '-c',
    'local',
    '--release=5',
    '--release=0x6',
    '--output-style=static',
    ...flags,
  ];
  const { code, output } = await copy.nx(args);
  expect(code, output).toBe(1);
  expect(output).toContain('release: found a list; expected one value: it is given more than once');
});
