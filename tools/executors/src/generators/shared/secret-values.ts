import type { Tree } from '@nx/devkit';
import { generate } from '../../secrets/age-file.ts';
import { envFile } from '../../secrets/env-file.ts';
import { secretsSchema } from '../../secrets/settings.ts';

/**
 * How secrets get their values in an environment, for the end of a generator; no line for no secrets.
 *
 * @param infra the folder of the files
 */
export function howToGiveValues(tree: Tree, infra: string, environment: string, secrets: readonly string[]): readonly string[] {
  if (secrets.length === 0) return [];
  const provider = providerOf(tree, `${infra}/environments/${environment}.json`);
  if (provider === 'age') return secrets.map((secret) => generate(environment, 'add', secret));
  const place = provider === 'command' ? `where "secrets" of ${environment} says` : `${envFile(environment)} (chmod 600)`;
  return [`${place}: a value for ${secrets.join(', ')}`];
}

/** What is wrong with the file is told by the verbs; here it counts as one that says nothing. */
function providerOf(tree: Tree, file: string): string {
  try {
    return secretsSchema.parse(JSON.parse(tree.read(file, 'utf-8') ?? '{}').secrets).provider;
  } catch {
    return 'file';
  }
}
