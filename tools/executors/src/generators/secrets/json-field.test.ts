import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withField } from './json-field.ts';

it('leaves the rest of the text as somebody has formatted it', () => {
  expect(withField('{ "a": [1,\n 2], "b": {} }', 'c', { d: 1 })).toBe('{ "a": [1,\n 2], "b": {},\n  "c": { "d": 1 }\n}');
  expect(withField('{}\n', 'c', 'x')).toBe('{\n  "c": "x"\n}\n');
});

it('whatever the object is, it has one field more', () => {
  const objects = fc.dictionary(fc.string(), fc.jsonValue()).filter((object) => !('added' in object));
  fc.assert(
    fc.property(objects, fc.constantFrom(undefined, 1, '\t'), (object, indent) => {
      const text = JSON.stringify(object, null, indent);
      expect(JSON.parse(withField(text, 'added', { x: [1] }))).toEqual({ ...JSON.parse(text), added: { x: [1] } });
    }),
  );
});
