import { expect, it } from 'vitest';
import { whole, yes } from './answer.ts';

it.each([
  [101, 101],
  ['101', 101],
  ['0', 0],
])('%j is the number %d', (given, number) => expect(whole.parse(given)).toBe(number));

it.each(['', '1.5', 'x', null, 1.5, '-'])('%j is no whole number', (given) => expect(whole.safeParse(given).success).toBe(false));

it.each([
  [1, true],
  ['1', true],
  [true, true],
  [0, false],
  ['0', false],
  ['', false],
  [false, false],
])('%j is %j', (given, wanted) => expect(yes.parse(given)).toBe(wanted));
