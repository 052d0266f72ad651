import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { read } from '../../engine/command.ts';
import { reveal, Secret } from '../../engine/secret.ts';
import { answer, binary, tell } from './erlang.ts';

describe('binary', () => {
  it('is numbers only, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const literal = binary(text);
        expect(literal).toMatch(/^<<(\d+(,\d+)*)?>>$/);
        expect(Buffer.from(literal.slice(2, -2).split(',').filter(Boolean).map(Number))).toEqual(Buffer.from(text));
      }),
    );
  });

  it('stays secret', () => {
    expect(String(binary(new Secret('ab')))).toBe('(secret)');
    expect(reveal(binary(new Secret('ab')))).toBe('<<97,98>>');
  });
});

it('what the node is told goes through stdin alone', () => {
  const command = tell(binary(new Secret('hunter2')));
  expect(JSON.stringify(command)).not.toMatch(/hunter2|104,117,110/);
  expect(reveal(command.stdin ?? '')).toContain('104,117,110');
});

describe('answer', () => {
  const schema = z.strictObject({ there: z.boolean() });
  const said = (stdout: string, code = 0) => ({
    command: read(['erl_call']),
    code,
    stdout,
    stderr: code === 0 ? '' : 'erl_call: failed to connect to node',
  });
  const json = (value: unknown) => said(Buffer.from(JSON.stringify(value)).toString('base64'));

  it('is the value that was printed', () => {
    expect(answer(json({ there: true }), schema)).toEqual({ there: true });
  });

  it.each([
    ['a node that is not reached', said('', 1), 'could not be asked'],
    ['nothing printed', said(''), 'answer that is not known'],
    ['other words', said('{error, foo}'), 'answer that is not known'],
    ['more than was asked', json({ there: true, more: 1 }), 'answer that is not known'],
    ['a failure', json({ failed: ['error', 'undef'] }), 'failed to answer: error undef'],
  ])('throws on %s', (_, result, message) => {
    expect(() => answer(result, schema)).toThrow(message);
  });
});
