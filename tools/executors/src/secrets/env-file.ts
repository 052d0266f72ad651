import { join } from 'node:path';
import { parseSecretsBytes } from './format.ts';
import { readPrivateFile } from './private-file.ts';
import type { SecretSource } from './types.ts';

/** The folder of what must not be committed; nx loads none of it. */
export const SECRETS_FOLDER = '.secrets';

/** The file of an environment's secrets in clear, relative to the workspace. */
export function envFile(environment: string): string {
  return `${SECRETS_FOLDER}/${environment}.env`;
}

/** `.secrets/<environment>.env`: in clear, ours alone, not in git. A file that is not there has no values. */
export function envFileSource(root: string, environment: string): SecretSource {
  const file = envFile(environment);
  return {
    name: file,
    async read() {
      const found = await readPrivateFile(join(root, file), file, 'change every secret in it');
      if (found === undefined) return { values: new Map(), problems: [] };
      return 'problems' in found ? { values: new Map(), problems: found.problems } : parseSecretsBytes(found.bytes, file);
    },
    // A random value; no secret is in the command's text, and a last line without its newline stays whole.
    howToSet: (name, missing) =>
      missing
        ? `(umask 077; printf '\\n${name}=%s\\n' "$(openssl rand -hex 24)" >> ${file}), or write the value that it has already into ${file}`
        : `write its value behind ${name}= in ${file}`,
  };
}
