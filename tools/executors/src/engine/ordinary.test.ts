import { describe, expect, it } from 'vitest';
import { ordinary } from './ordinary.ts';

describe('what is too ordinary to be hidden wherever it stands', () => {
  it.each([
    ['minio', 'short'],
    ['hunter2', 'short'],
    ['1234567', 'short'],
    ['größe 7', 'short'],
    ['minioadmin', 'word'],
    ['minioadmin123', 'word'],
    ['redis-password', 'word'],
    ['correct horse', 'word'],
    ['12345678', 'word'],
    ['veza-e2e-7-redis', 'name'],
    ['db1.example.org', 'name'],
  ])('%s: %s', (value, why) => expect(ordinary(value, ['veza-e2e-7-redis-of-a-team', 'db1.example.org'])).toBe(why));

  it.each([
    'hunter2-hunter2',
    'x7Kq2!9z',
    'correcthorsebatterystaple',
    'redis-password-of-staging',
    'a7b7c7d7',
    'two\nlines',
    "it's $HOME",
  ])('not %j', (value) => expect(ordinary(value, ['veza-local-redis'])).toBeUndefined());
});
