import { describe, expect, it } from 'vitest';
import { data } from '../../verbs/deploy/options.ts';
import { schema as rollbackSchema } from '../../verbs/rollback/options.ts';
import { parseOnly, UNPARSED } from './request.ts';
import { asTyped } from './typed.ts';

it.each<[string, Record<string, unknown>, string[], Record<string, unknown>]>([
  ['digits', { before: 123456789012 }, ['--before=123456789012'], { before: '123456789012' }],
  ['digits after a blank', { before: 123456789012 }, ['--before', '123456789012'], { before: '123456789012' }],
  ['what reads as 0', { to: 0 }, ['--to=0e12345678'], { to: '0e12345678' }],
  ['hex', { before: 16 }, ['--before', '0x10'], { before: '0x10' }],
  ['an exponent', { before: 1000 }, ['--before=1e3'], { before: '1e3' }],
  ['a leading zero', { to: 123 }, ['--to=0123'], { to: '0123' }],
  ['more digits than a number has', { release: 1e39 }, [`--release=1${'0'.repeat(39)}`], { release: `1${'0'.repeat(39)}` }],
  ['a negative number', { to: -5 }, ['--to', '-5'], { to: '-5' }],
  ['a truth', { to: true }, ['--to=true'], { to: 'true' }],
  ['kebab case', { leaseTake: 1000 }, ['--lease-take=1e3'], { leaseTake: '1e3' }],
  ['camel case', { leaseTake: 1000 }, ['--leaseTake', '1e3'], { leaseTake: '1e3' }],
  ['one of a list', { create: [7, 'a,b'] }, ['--create=07', '--create=a,b'], { create: ['07', 'a,b'] }],
  ['the same, twice', { to: [5, 5] }, ['--to=5', '--to=5'], { to: ['5', '5'] }],
  ['both spellings of one option', { leaseTake: 7 }, ['--lease-take=5', '--leaseTake=7'], { leaseTake: ['5', '7'] }],
  ['a switch', { yes: true }, ['--yes', '--to=a'], { yes: true }],
  ['a switch that is said to be one', { yes: true }, ['--yes=true'], { yes: 'true' }],
  ['no value', { to: true, yes: true }, ['--to', '--yes'], { to: true, yes: true }],
  ['once without a value', { to: [true, 5] }, ['--to', '--to=5'], { to: [true, 5] }],
  ['a value of a file', { release: 12 }, ['--to=a'], { release: 12 }],
  ['a number in quotes of its own', { before: 100000 }, [`--before='1e5'`], { before: '1e5' }],
  ['a text in them', { to: 'a b' }, ['--to="a b"'], { to: 'a b' }],
  ['a text', { to: 'a=b' }, ['--to=a=b'], { to: 'a=b' }],
  ['what stands after --', { to: 1 }, ['--', '--to=0x1'], { to: 1 }],
])('%s is what was typed', (_, options, words, expected) => expect(asTyped(options, words)).toEqual(expected));

describe('parsed options', () => {
  const task = { project: 'zfs', target: 'rollback' };
  const parse = (options: object, ...words: string[]) => parseOnly(rollbackSchema, { ...options, [UNPARSED]: words }, task);

  it('have the text of a commit that looks like a number', () => {
    expect(parse({ before: 123456789012 }, '--before=123456789012').before).toBe('123456789012');
    expect(parse({ to: 0 }, '--to=0e12345678').to).toBe('0e12345678');
    // In a batch infinity comes as JSON has it.
    expect(parse({ before: null }, '--before=12e4567').before).toBe('12e4567');
    expect(parse({ before: Number.POSITIVE_INFINITY }, '--before=12e4567').before).toBe('12e4567');
  });
  it('have every name of a list', () => {
    const steps = {
      step: 'configure',
      create: [12, 'redis, minio'],
      adopt: 1000,
      [UNPARSED]: ['--create=12', '--create', 'redis, minio', '--adopt=1e3'],
    };
    expect(parseOnly(data.schema, steps, task)).toMatchObject({ create: ['12', 'redis', 'minio'], adopt: ['1e3'] });
  });
  it.each<[object, string[], string]>([
    [{ to: [5, 6] }, ['--to=5', '--to=6'], 'zfs:rollback options: --to: found a list; expected one value: it is given more than once'],
    [{ to: true }, ['--to'], 'zfs:rollback options: --to: found true (boolean); expected a text'],
    [{ release: 12 }, [], 'zfs:rollback options: --release: found 12 (number); expected a text'],
    [{ dryRun: 1 }, ['--dry-run=1'], 'zfs:rollback options: --dry-run: found "1" (string); expected true or false'],
  ])('refuse %j', (options, words, message) => expect(() => parse(options, ...words)).toThrow(message));
});
