import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinSecret, redactor, reveal, Secret, secretText } from './secret.ts';

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

describe('redactor', () => {
  it('finds a secret raw, in JSON, URL-encoded and in base64 of any alignment', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 8, maxLength: 60 }),
        fc.string({ maxLength: 9 }),
        fc.string({ maxLength: 9 }),
        (value, before, after) => {
          const redact = redactor([new Secret(value)]);
          expect(redact(`${before} ${value} ${after}`)).toContain('(secret)');
          expect(redact(JSON.stringify(`${before}${value}`))).toContain('(secret)');
          expect(redact(encodeURIComponent(value.toWellFormed()))).toContain('(secret)');
          expect(redact(Buffer.from(`${before}${value}${after}`).toString('base64'))).toContain('(secret)');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('leaves other text alone', () => expect(redactor([secret])('nothing to see')).toBe('nothing to see'));
});
