import { z } from 'zod';
import { relativePath } from '../engine/names.ts';

const word = z.string().regex(/^[^\0]+$/, 'expected a text that is not empty, without NUL');

/** `.secrets/<environment>.env`, which git ignores. */
const fileProvider = z.strictObject({ provider: z.literal('file') });

/** A file encrypted with age, which is committed. */
const ageProvider = z.strictObject({
  provider: z.literal('age'),
  recipients: relativePath.optional().meta({
    description: 'File of the public keys that it is encrypted to; infra/environments/<name>.recipients when left out',
    examples: ['infra/team.recipients'],
  }),
});

/** A program that prints the secrets. */
const commandProvider = z.strictObject({
  provider: z.literal('command'),
  argv: z.tuple([word], word, 'expected a list: the program, then its arguments').meta({
    description: 'Program and arguments; no shell is involved',
    examples: [['sops', '-d', '--output-type', 'dotenv', 'infra/staging.sops.env']],
  }),
  timeoutSeconds: z.int().min(1).max(600).default(30).meta({ description: 'It is ended after this time' }),
  variables: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'))
    .default([])
    .meta({
      description: 'Variables of our environment that it is given, beside PATH, HOME and LANG',
      examples: [['VAULT_ADDR', 'VAULT_TOKEN']],
    }),
});

/** `secrets` of an environment: where the values of its secrets are. */
export const secretsSchema = z
  .discriminatedUnion('provider', [fileProvider, ageProvider, commandProvider], {
    error: ({ code }) => (code === 'invalid_union' ? 'expected "file", "age" or "command"' : undefined),
  })
  .default({ provider: 'file' })
  .meta({
    description: 'Where the values of its secrets are: docs/secrets.md',
    examples: [{ provider: 'age' }],
  });

/** Where an environment keeps its secrets, defaults filled in. */
export type SecretsSettings = z.output<typeof secretsSchema>;
export type AgeSettings = z.output<typeof ageProvider>;
export type CommandSettings = z.output<typeof commandProvider>;
