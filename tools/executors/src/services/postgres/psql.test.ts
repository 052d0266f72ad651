import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { connectAs, identifier, literal, psql } from './psql.ts';

test('no byte of a password can end the word or the line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (password) => {
      const line = connectAs({ user: 'veza', password: new Secret(password) }).reveal();
      const [, given] =
        /^\\setenv PGOPTIONS\n\\connect -reuse-previous=off 'postgresql:\/\/\/\?user=veza&password=([A-Za-z0-9%]*)'\n$/.exec(line) ?? [];
      expect(decodeURIComponent(given ?? '(none)')).toBe(password);
    }),
  );
});

test('it prints without the password', () => {
  expect(String(connectAs({ password: new Secret('geheim') }))).not.toContain('geheim');
});

test('names and literals', () => {
  expect(identifier('ve"za')).toBe('"ve""za"');
  expect(literal("ve'za")).toBe("'ve''za'");
});

test('SQL goes to stdin, never into the arguments', () => {
  const { argv, stdin, effect } = psql('read', 'SELECT 1;\n', 1000);
  expect(stdin).toBe('SELECT 1;\n');
  expect(argv.join(' ')).not.toContain('SELECT');
  expect(effect).toBe('read');
});
