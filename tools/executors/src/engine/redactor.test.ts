import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileTexts } from '../../../../test/hostile-texts.ts';
import { InputError, MooringError, ProblemsError, showError } from './errors.ts';
import { ordinary } from './ordinary.ts';
import { redactor } from './redactor.ts';
import { Secret } from './secret.ts';

const NAMES = [
  'minio',
  'veza-local-minio',
  'veza-local-redis',
  'redis',
  'local',
  'veza-local-',
  'veza',
  'minio.service',
  'db1.example.org',
];
const of = (value: string, names = NAMES) => redactor([new Secret(value)], names);

/** Values that are looked for everywhere; also such with quotes, line ends and backslashes. */
const strong = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 8, maxLength: 60 }),
    fc.constantFrom(...hostileTexts).map((text) => `${text}x7-Kq2!9${text}`),
    fc.constantFrom(...hostileTexts).map((text) => `a"b\\${text}\n`.padEnd(9, '7')),
  )
  .filter((value) => ordinary(value, NAMES) === undefined);

describe('a secret that nothing else holds', () => {
  it('is found raw, in JSON, in a shell word, URL-encoded and in base64 of any alignment', () => {
    fc.assert(
      fc.property(strong, fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }), (value, before, after) => {
        const { text } = of(value);
        const base64 = Buffer.from(`${before}${value}${after}`);
        for (const written of [
          `${before}${value}${after}`,
          JSON.stringify(`${before}${value}${after}`),
          `'${`${before}${value}`.replaceAll("'", "'\\''")}'`,
          encodeURIComponent(value.toWellFormed()),
          new URLSearchParams({ password: value }).toString(),
          base64.toString('base64'),
          base64.toString('base64url'),
        ]) {
          expect(text(written)).toContain('(secret)');
          expect(text(written)).not.toContain(value);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('leaves JSON that can be read, with the same keys, wherever it stands', () => {
    fc.assert(
      fc.property(strong, fc.constantFrom(...hostileTexts), fc.jsonValue(), (value, around, other) => {
        const data = { container: `${around}${value}${around}`, list: [value, around], other, nested: { before: around } };
        const { text } = of(value).json(data, 2);
        const read = JSON.parse(text);
        expect(Object.keys(read)).toEqual(['container', 'list', 'other', 'nested']);
        expect(JSON.stringify(read)).not.toContain(JSON.stringify(value).slice(1, -1));
        expect(read.container).toContain('(secret)');
        expect(read.list[0]).toBe('(secret)');
      }),
      { numRuns: 500 },
    );
  });

  it('that reads as the syntax of JSON leaves it valid', () => {
    const value = '": "ok", "x": "';
    const { json } = of(value);
    expect(JSON.parse(json({ a: 'ok', b: 'x', c: value }).text)).toEqual({ a: 'ok', b: 'x', c: '(secret)' });
    // The letter after the backslash belongs to JSON, not to the value.
    expect(JSON.parse(of('hunter22\\').json({ a: 'hunter22\n', b: 'hunter22"' }).text)).toEqual({ a: 'hunter22\n', b: 'hunter22"' });
  });

  it('is hidden in a key too', () => expect(of('hunter2-hunter2').json({ 'hunter2-hunter2': 1 }).text).toBe('{"(secret)":1}'));

  it('is hidden line by line, but for lines that other texts have', () => {
    const key =
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA\nAAAEbm9uZQAAAAdzc2gtZWQ\n-----END OPENSSH PRIVATE KEY-----\n';
    const { text } = of(key);
    expect(text('    b3BlbnNzaC1rZXktdjEAAAA\n    AAAEbm9uZQAAAAdzc2gtZWQ')).toBe('    (secret)\n    (secret)');
    expect(text('-----BEGIN OPENSSH PRIVATE KEY-----')).toBe('-----BEGIN OPENSSH PRIVATE KEY-----');
  });

  it('is hidden where two of them overlap', () => {
    const { text } = redactor([new Secret('abc7-defghij'), new Secret('ghij-klm9-nop')]);
    expect(text('<abc7-defghij-klm9-nop>')).toBe('<(secret)>');
  });
});

describe('a secret that is a name or a word', () => {
  it.each(['minio', 'veza', 'local', 'redis', 'update', 'file', 'container', 'root', 'password', 'name', 'true'])(
    '%s: names of things stay',
    (value) => {
      const { text, json } = of(value);
      for (const told of [
        'veza-local-minio',
        'update file /etc/minio/root-user',
        'minio: configure: 2 changes, 1 with restart',
        'role "veza" of database veza',
        'next:    nx run minio:plan -c local',
        '--configuration=local --to=minio',
      ])
        expect(text(told)).toBe(told);
      const data = {
        environment: 'local',
        containers: [{ container: 'minio', instance: 'veza-local-minio', name: 'update file', password: true }],
      };
      expect(JSON.parse(json(data, 2).text)).toEqual(data);
    },
  );

  it.each(['minio', 'password', 'veza'])('%s: is hidden in an assignment', (value) => {
    const { text } = of(value);
    expect(text(`MINIO_ROOT_USER=${value}`)).toBe('MINIO_ROOT_USER=(secret)');
    expect(text(`MINIO_ROOT_USER="${value}" x`)).toBe('MINIO_ROOT_USER="(secret)" x');
    expect(text(`conninfo: user=${value}, x`)).toBe('conninfo: user=(secret), x');
  });
});

describe('a secret that is short or plain', () => {
  it.each(['hunter2', 'x7Kq2!', 'swordfish', 'correct horse', 'a"b\\c', '5x5x'])('%s: is hidden where it stands alone', (value) => {
    const { text, json } = of(value);
    const base64 = Buffer.from(`user:${value}`).toString('base64');
    for (const told of [
      `WRONGPASS invalid password ${value}.`,
      `near "${value}"`,
      `amqp://veza:${value}@localhost/`,
      `PASSWORD=${value}`,
      `args beginning with: '${value}', `,
    ]) {
      expect(text(told)).not.toContain(value);
      expect(text(told)).toContain('(secret)');
    }
    expect(text(JSON.stringify(value))).not.toContain(JSON.stringify(value).slice(1, -1));
    expect(text(`Basic ${base64}`)).toContain('(secret)');
    expect(json({ detail: `got ${value}` }).text).toBe('{"detail":"got (secret)"}');
  });

  it.each([
    ['etcd', '/etc/etcd/etcd.conf of etcd.service'],
    ['swordfish', 'package swordfish-tools, user swordfish_app'],
    ['a1b2', 'release a1b2c3d4, run 7-a1b2-9'],
    ['example', 'host db1.example.org'],
  ])('%s: is not torn out of a name or a path', (value, told) => expect(of(value).text(told)).toBe(told));

  it.each([
    'postgresql:///db?host=/var/run/postgresql&password=sunshine1',
    '/etc/rabbitmq/rabbitmq.conf:default_pass=sunshine1',
    '/etc/app.env:REDIS_PASSWORD=sunshine1',
    'PATH=/a/b:sunshine1',
    'url=/run/app.sock?password=sunshine1',
    'cat </etc/app.key>sunshine1',
    '/var/lib/x|sunshine1',
    'unix:/run/x.sock@sunshine1',
  ])('%s: is hidden where a path ends', (told) => expect(of('sunshine1').text(told)).toBe(told.replace('sunshine1', '(secret)')));

  it.each(['', 'a', 'ab', 'abc'])('%j: is not looked for in texts', (value) => {
    expect(of(value).text('a container abc, ab')).toBe('a container abc, ab');
    expect(of(value).json({ a: 'abc' }).text).toBe('{"a":"abc"}');
  });
});

it('whatever the secret: names stay, and JSON can be read', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom(...NAMES, ...hostileTexts), fc.string({ unit: 'grapheme' })),
      fc.constantFrom(...NAMES),
      (value, name) => {
        const { text, json } = of(value);
        expect(text(name)).toBe(name);
        expect(JSON.parse(json({ name, told: { name } }).text)).toEqual({ name, told: { name } });
      },
    ),
    { numRuns: 500 },
  );
});

describe('an error', () => {
  const value = 'line one 1\nx"y\\';
  const detail = () => ({ stderr: `refused:\n${value}`, command: 'psql', next: `not ${value}`, host: 'db1' });

  it('is cleaned with what it carries, its problems and its cause, before its lines are indented', () => {
    const { error } = of(value);
    const cause = new Error(`quoted ${JSON.stringify(value)}`);
    const told = error(new ProblemsError('several', [new MooringError(value, detail(), cause), new InputError(`in ${value}`)]));
    expect(showError(told)).not.toMatch(/line one 1|x"y/);
    expect(showError(told)).toContain('refused:\n              (secret)');
    expect(cause.message).toBe('quoted "(secret)"');
  });

  it('that is none of ours is shown with its stack, and without the secret', () => {
    const { error } = of(value);
    expect(showError(error(new TypeError(`bad ${value}`)))).toMatch(/^TypeError: bad \(secret\)\n {4}at /);
    expect(error('text')).toBe('text');
  });
});
