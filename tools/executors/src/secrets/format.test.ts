import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { showError } from '../engine/errors.ts';
import { formatSecretLine, parseSecrets, withSecret } from './format.ts';

const parse = (text: string) => {
  const { values, problems } = parseSecrets(text, '.secrets/local.env');
  return {
    values: Object.fromEntries([...values].map(([name, value]) => [name, value.reveal()])),
    problems: problems.map(({ message }) => message),
  };
};

describe('the grammar of a secrets file', () => {
  test.each([
    ['as it stands', 'A=b', 'b'],
    ['without the blanks around it', '  A =  b c \t', 'b c'],
    ['nothing is expanded', 'A=$HOME $(id) `id` ${X}', '$HOME $(id) `id` ${X}'],
    ['no comment behind a value', 'A=b # c', 'b # c'],
    ['quotes and backslashes inside', 'A=it\'s "so" \\n', 'it\'s "so" \\n'],
    ['more equals signs', 'A=b=c==', 'b=c=='],
    ['single quotes keep blanks and backslashes', "A=' b\\n\" $x '", ' b\\n" $x '],
    ['double quotes know five escapes', 'A="a\\nb\\rc\\td\\"e\\\\f $x"', 'a\nb\rc\td"e\\f $x'],
    ['a line end of Windows', 'A=b\r\n', 'b'],
    ['empty', 'A=', ''],
    ['empty in quotes', "A=''", ''],
    ['a byte order mark', '\uFEFFA=b', 'b'],
  ])('%s', (_, text, value) => {
    expect(parse(text)).toEqual({ values: { A: value }, problems: [] });
  });

  test('comments and empty lines are nothing', () => {
    expect(parse('# A=b\n\n   \n  # c\nB=d\n')).toEqual({ values: { B: 'd' }, problems: [] });
  });

  test.each([
    ['no equals sign', 'hello world'],
    ['a lower-case name', 'password=x'],
    ['export', 'export A=b'],
    ['an open quote', 'A="b'],
    ['a lone quote', "A='"],
    ['something behind the quotes', 'A="b" # c'],
    ['a quote inside single quotes', "A='it's'"],
    ['a bare quote inside double quotes', 'A="a"b"'],
    ['an unknown escape', 'A="\\x41"'],
    ['a backslash at the end', 'A="b\\"'],
  ])('refused: %s', (_, text) => {
    const { values, problems } = parse(`OTHER=fine\n${text}`);
    expect(values).toEqual({ OTHER: 'fine' });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^\.secrets\/local\.env:2: /);
  });

  test('a name that is there twice is refused, with both lines', () => {
    expect(parse('A=1\nB=2\nA=3').problems).toEqual(['.secrets/local.env:3: A is there already, in line 1']);
  });

  test('no message quotes a value', () => {
    const text = 'A="hunter2\nB=x"hunter2\n=hunter2\nhunter2=x\nC="hun"ter2"\nD=\'hunter2\'s\'';
    const { problems } = parseSecrets(text, 'f');
    expect(problems.length).toBeGreaterThan(2);
    expect(problems.map(showError).join('\n')).not.toMatch(/hun|ter2/);
  });
});

describe('formatSecretLine', () => {
  test('is read back as the same value, whatever is in it', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 600 }).map((text) => text.replaceAll('\0', '')),
      fc.string({
        unit: fc.constantFrom("'", '"', '\\', '\n', '\r', '\t', ' ', '$', '(', '#', '=', 'n', 'é', '\u00a0', '\u2028'),
        maxLength: 500,
      }),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
        const text = values.map((one, i) => formatSecretLine(`NAME_${i}`, one)).join('\n');
        expect(Object.values(parse(text).values)).toEqual(values);
      }),
      { numRuns: 40 },
    );
  });

  test('plain values stay plain', () => {
    expect(formatSecretLine('A', 'abc-DEF_123.~%2F')).toBe('A=abc-DEF_123.~%2F');
    expect(formatSecretLine('A', "it's")).toBe('A="it\'s"');
    expect(formatSecretLine('A', 'a b')).toBe("A='a b'");
  });

  test('a NUL is refused', () => {
    expect(() => formatSecretLine('A', 'a\0b')).toThrow('has a NUL');
  });
});

describe('withSecret', () => {
  test.each([
    ['in its line', '# one\nA=1\n\nB=2\n', '# one\nA=x\n\nB=2\n'],
    ['in a new line', '# one\nAB=1', '# one\nAB=1\nA=x\n'],
    ['in an empty text', '', 'A=x\n'],
    ['not in a comment, nor for a name that begins so', '# A=1\nA_B=2\n', '# A=1\nA_B=2\nA=x\n'],
    ['with blanks around the name', '  A = 1\n', 'A=x\n'],
  ])('writes a value %s', (_, before, after) => expect(withSecret(before, 'A', 'x')).toBe(after));

  test('every other secret stays, and every value is read back', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('A', 'B', 'NEW'),
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
        (name, value) => {
          expect(parse(withSecret('A=1\nB="2\\n"\n', name, value))).toEqual({ values: { A: '1', B: '2\n', [name]: value }, problems: [] });
        },
      ),
    );
  });
});
