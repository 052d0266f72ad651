import { expect, it } from 'vitest';
import { Secret } from './secret.ts';
import { ordinaryWarnings } from './secret-warnings.ts';

it('names the secrets that cannot be hidden everywhere and says why, without their values', () => {
  const values = { ROOT: 'minio', PIN: '1234', WORD: 'swordfish', NAME: 'e2e-7-redis', GOOD: 'hunter2-hunter2', KEY: 'two\nlines' };
  const secrets = new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
  expect(ordinaryWarnings('staging', secrets, ['e2e-7-redis', 'minio'])).toEqual([
    'warning: ROOT of staging cannot be hidden everywhere: it is shorter than 8 characters; a random value can (docs/secrets.md)',
    'warning: PIN of staging cannot be hidden everywhere: it is shorter than 8 characters; a random value can (docs/secrets.md)',
    'warning: WORD of staging cannot be hidden everywhere: it is a plain word or a number; a random value can (docs/secrets.md)',
    'warning: NAME of staging cannot be hidden everywhere: it is a part of a name; a random value can (docs/secrets.md)',
  ]);
});
