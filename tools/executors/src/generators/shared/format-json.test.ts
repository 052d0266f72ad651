import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatJson } from './format-json.ts';

it('lists of plain values and objects of one field are on one line', () => {
  expect(formatJson({ secret: { secret: 'NAME' }, list: ['a', 1, null], empty: {}, objects: [{ a: 1, b: [] }] })).toMatchInlineSnapshot(`
    "{
      "secret": { "secret": "NAME" },
      "list": ["a", 1, null],
      "empty": {},
      "objects": [
        {
          "a": 1,
          "b": []
        }
      ]
    }
    "
  `);
});

it('unless they are longer than 80 columns, the comma after them included', () => {
  const width = (length: number) => formatJson({ list: ['x'.repeat(length)], last: 1 }).split('\n')[1]?.length;
  expect(width(80 - '  "list": [""],'.length)).toBe(80);
  expect(width(81 - '  "list": [""],'.length)).toBe('  "list": ['.length);
});

it('reads back as the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(formatJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
