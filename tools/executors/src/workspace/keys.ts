import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { publicKey } from '../apps/fields.ts';
import { InputError } from '../engine/errors.ts';
import { mustParse } from './problems.ts';

const KEY_FILE = /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\0\s]+\.pub$/;

/** A public key, or a file of the workspace that holds some. */
export const keyOrFile = z
  .union(
    [publicKey, z.string().regex(KEY_FILE)],
    'expected an OpenSSH public key such as "ssh-ed25519 AAAA… name", or a .pub file of the workspace',
  )
  .meta({ examples: ['ssh-ed25519 AAAA… you@machine'] });

/** Stands for the keys of a file where only the rest is checked. */
const SOME_KEY = `ssh-ed25519 ${'A'.repeat(68)}`;

/** The keys, a file taken for one: what can be known without reading it. A fresh clone need not have the files of every environment. */
export function withoutFiles(keys: unknown): unknown {
  if (!Array.isArray(keys)) return keys;
  return keys.map((key) => (typeof key === 'string' && KEY_FILE.test(key) ? SOME_KEY : key));
}

/**
 * The keys, each file replaced by the keys in it.
 *
 * @param root the workspace, absolute
 * @param where what names the files, for the message
 * @throws InputError, ProblemsError
 */
export function readKeys(root: string, keys: readonly string[], where: string): string[] {
  return keys.flatMap((key) => (KEY_FILE.test(key) ? keysOfFile(root, key, where) : [key]));
}

function keysOfFile(root: string, file: string, where: string): string[] {
  let text: string;
  try {
    text = readFileSync(join(root, file), 'utf8');
  } catch (error) {
    throw new InputError(`${file}, which ${where} names, cannot be read: ${error instanceof Error ? error.message : error}`, {
      page: 'files',
    });
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return mustParse(z.array(publicKey).min(1), lines, { file });
}
