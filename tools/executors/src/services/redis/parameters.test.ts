import { expect, it } from 'vitest';
import { HIDDEN, OWN, ruleOf, UNTRIED } from './parameters.ts';

const NAMES = UNTRIED.slice(1, -1).split('|');

it('what users may set and the running server is not given is tried: else only its next start would refuse it', () => {
  const unseen = [...NAMES, ...HIDDEN.slice(1, -1).split('|'), 'masterauth', 'tls-key-file-pass', 'tls-client-key-file-pass'].filter(
    (name) => {
      const { live, tried, refused } = ruleOf(name);
      return live === false && tried === false && refused === undefined && !OWN.includes(name);
    },
  );
  expect(unseen).toEqual([]);
});

it('a password of TLS is tried, a file that only the server may read is not', () => {
  expect(ruleOf('tls-key-file-pass').tried).toBeUndefined();
  expect(ruleOf('tls-key-file').tried).toBe(false);
});
