import { expect, it } from 'vitest';
import { z } from 'zod';
import { parseAll } from './problems.ts';

const schema = z.strictObject({
  port: z.int().min(1).max(65535).optional(),
  count: z.int().min(1).optional(),
  role: z
    .string()
    .regex(/^[a-z]+$/, 'expected small letters, such as veza')
    .optional(),
  note: z.string().min(1).optional(),
  version: z.union([z.int().min(15).max(99), z.literal('debian')]).optional(),
  on: z.boolean().optional(),
  tags: z
    .array(z.enum(['a', 'b', 'c']))
    .min(1)
    .optional(),
  limits: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  address: z.url().optional(),
  leaseWait: z
    .string()
    .meta({ examples: ['9 s'] })
    .optional(),
});

const said = (value: object, flags?: true) => {
  const parsed = parseAll(schema, value, { file: 'x.json', ...(flags && { flags }) });
  return 'problems' in parsed ? parsed.problems.map(({ message, detail: { next } }) => (next ? `${message}; ${next}` : message)) : [];
};

it.each([
  [{ port: -1 }, 'port: found -1 (number); expected a whole number from 1 to 65535'],
  [{ port: 65536 }, 'port: found 65536 (number); expected a whole number from 1 to 65535'],
  [{ port: 1.5 }, 'port: found 1.5 (number); expected a whole number from 1 to 65535'],
  [{ port: '80' }, 'port: found "80" (string); expected a whole number from 1 to 65535'],
  [{ count: 0 }, 'count: found 0 (number); expected a whole number, 1 or more'],
  [{ role: 5 }, 'role: found 5 (number); expected small letters, such as veza'],
  [{ note: 5 }, 'note: found 5 (number); expected a text'],
  [{ note: '' }, 'note: found "" (string); expected a text that is not empty'],
  [{ note: [] }, 'note: found a list; expected a text'],
  [{ version: null }, 'version: found null; expected a whole number from 15 to 99 or "debian"'],
  [{ on: 'yes' }, 'on: found "yes" (string); expected true or false'],
  [{ tags: 'a' }, 'tags: found "a" (string); expected a list, each entry "a", "b" or "c"'],
  [{ tags: [] }, 'tags: found a list; expected a list with 1 or more entries'],
  [{ tags: ['d'] }, 'tags[0]: found "d" (string); expected "a", "b" or "c"'],
  [{ limits: [] }, 'limits: found a list; expected an object: a value for each name'],
  [{ limits: { x: null } }, 'limits.x: found null; expected a text, a number, true or false'],
  [{ address: 'x' }, 'address: found "x" (string); expected a URL'],
])('of %j it is told what the field takes', (value, message) => expect(said(value)).toEqual([`x.json: ${message}`]));

it('options are named as they are typed', () =>
  expect([...said({ leaseWait: 5 }, true), ...said({ leaseWaits: 5 }, true)]).toEqual([
    "x.json: --lease-wait: found 5 (number); expected a text; for example --lease-wait='9 s'",
    'x.json: --lease-waits: unknown option; did you mean --lease-wait?',
  ]));
