import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { joinSecret, reveal, Secret, secretText } from './secret.ts';

const secret = new Secret('hunter2-hunter2');

it.each([
  ['a template string', `${secret}`],
  ['String()', String(secret)],
  ['JSON', JSON.stringify({ secret })],
  ['console.log', inspect({ secret }, { depth: 9, showHidden: true })],
  ['an error message', new Error(`could not use ${secret}`).message],
  ['a rendered file', String(secretText`requirepass ${secret}\n`)],
  ['a joined text', String(joinSecret(['AUTH ', secret]))],
])('prints as (secret) in %s', (_, text) => {
  expect(text).toContain('(secret)');
  expect(text).not.toContain('hunter2');
});

it('is whole where it is wanted', () => {
  expect(reveal(secretText`requirepass ${secret}\n`)).toBe('requirepass hunter2-hunter2\n');
  expect(reveal(joinSecret(['a', secret, 'b'], ' '))).toBe('a hunter2-hunter2 b');
});
