import { expect, it } from 'vitest';
import { z } from 'zod';
import { showError } from '../engine/errors.ts';
import { parseAll } from '../workspace/problems.ts';
import { secretsSchema } from './settings.ts';

const environment = z.strictObject({ secrets: secretsSchema });
const parse = (secrets: unknown) => {
  const result = parseAll(environment, { secrets }, { file: 'staging.json' });
  return 'value' in result ? result.value.secrets : result.problems.map(showError).join('\n');
};

it('is the file in clear when nothing is said', () => {
  expect(parse(undefined)).toEqual({ provider: 'file' });
  expect(parse({ provider: 'age' })).toEqual({ provider: 'age' });
  expect(parse({ provider: 'command', argv: ['op', 'read', ''].slice(0, 2) })).toEqual({
    provider: 'command',
    argv: ['op', 'read'],
    timeoutSeconds: 30,
    variables: [],
  });
});

it.each<[unknown, string]>([
  ['age', 'staging.json: secrets: found a string; expected an object\n  next:    for example "secrets":{"provider":"age"}'],
  [{}, 'staging.json: secrets.provider: found nothing; expected "file", "age" or "command"'],
  [{ provider: 'vault' }, 'staging.json: secrets.provider: found a string; expected "file", "age" or "command"'],
  [{ provider: 'file', path: 'x' }, 'staging.json: secrets.path: unknown field; the fields are provider'],
  [{ provider: 'age', recipient: 'x' }, 'staging.json: secrets.recipient: unknown field; did you mean recipients?'],
  [{ provider: 'age', recipients: '../x' }, 'secrets.recipients: found a string; expected a path inside the workspace'],
  [
    { provider: 'command' },
    'secrets.argv: found nothing; expected a list: the program, then its arguments\n  next:    for example "argv":["sops"',
  ],
  [{ provider: 'command', argv: 'sops -d x' }, 'secrets.argv: found a string; expected a list: the program, then its arguments'],
  [{ provider: 'command', argv: [] }, 'secrets.argv[0]: found nothing; expected a text'],
  [{ provider: 'command', argv: ['op', 'a\0b'] }, 'secrets.argv[1]: found a string; expected a text that is not empty, without NUL'],
  [{ provider: 'command', argv: ['op'], timeoutSeconds: 0 }, 'secrets.timeoutSeconds: found a number; expected a whole number from 1 to'],
  [{ provider: 'command', argv: ['op'], timeoutSecond: 9 }, 'secrets.timeoutSecond: unknown field; did you mean timeoutSeconds?'],
  [{ provider: 'command', argv: ['op'], variables: ['A=B'] }, 'secrets.variables[0]: found a string; expected the name of a variable'],
])('%o is refused, and nothing of it is shown', (secrets, message) => expect(parse(secrets)).toContain(message));
