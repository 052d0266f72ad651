import { z } from 'zod';
import { hostPart } from '../../engine/names.ts';
import { flag, names } from '../../engine/option-fields.ts';

const ACTIONS = ['init', 'add', 'rotate', 'reencrypt'] as const;

/** Options of `nx g nx-mooring:secrets <environment>`. A value is never one: it would stand in the shell's history. */
export const secretsOptions = z.strictObject({
  environment: hostPart.meta({
    description: 'The environment whose secrets these are',
    examples: ['staging'],
    $default: { $source: 'argv', index: 0 },
    'x-prompt': 'Which environment?',
  }),
  action: z.enum(ACTIONS).meta({
    description:
      '`init`: makes your key and the encrypted file, and takes over the one in clear; `add`: a new secret; `rotate`: another value; `reencrypt`: to the public keys as they are now',
    examples: ['init'],
    'x-prompt': 'What to do? (init, add, rotate, reencrypt)',
  }),
  name: names('`add`, `rotate`: the secrets; the value is asked for, or read from stdin', 'REDIS_PASSWORD'),
  random: flag('`add`, `rotate`: make a random value of 40 letters and digits'),
});
export type SecretsOptions = z.output<typeof secretsOptions>;
