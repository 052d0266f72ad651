import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, type MooringError, SafetyError } from '../engine/errors.ts';
import { type AgeFailure, decryptAge } from './age.ts';
import { parseSecretsBytes } from './format.ts';
import { DEFAULT_IDENTITY_FILE, findIdentities, IDENTITY, IDENTITY_FILE, type Identities } from './identity.ts';
import { parseRecipients } from './recipients.ts';
import type { AgeSettings } from './settings.ts';
import type { SecretSource, SecretsContent, SourceContext } from './types.ts';

/** Files of an environment whose secrets are encrypted, relative to the workspace. */
export type AgeFiles = { readonly environment: string; readonly encrypted: string; readonly recipients: string };

/** Where they are: beside the environment's file, so that `nx affected` sees a rotated secret. @param infra the folder of the files */
export function ageFiles(infra: string, environment: string, { recipients }: AgeSettings): AgeFiles {
  const beside = `${infra}/environments/${environment}`;
  return { environment, encrypted: `${beside}.secrets.age`, recipients: recipients ?? `${beside}.recipients` };
}

/** `infra/environments/<environment>.secrets.age`: the same lines as in clear, encrypted with age to several public keys. */
export function ageSource(environment: string, settings: AgeSettings, context: SourceContext): SecretSource {
  const files = ageFiles(context.infra, environment, settings);
  return {
    name: files.encrypted,
    async read() {
      const [bytes, recipients] = await Promise.all(
        [files.encrypted, files.recipients].map((file) =>
          readFile(join(context.root, file)).catch((error: NodeJS.ErrnoException) => {
            if (error.code === 'ENOENT') return undefined;
            throw new InputError(`${file} cannot be read: ${error.code}`, { next: `ls -l ${file}` });
          }),
        ),
      );
      if (bytes === undefined) return nothing(new InputError(`${files.encrypted} is not there`, { next: generate(environment, 'init') }));
      const identities = await findIdentities(context);
      if (identities === undefined) return nothing(noIdentity(files));
      if ('problems' in identities) return { values: new Map(), problems: identities.problems };
      return openAgeFile(bytes, files, identities, recipients?.toString('utf8') ?? '');
    },
    howToSet: (name, missing) =>
      `${generate(environment, missing ? 'add' : 'rotate', name)} asks for its value; with --random it makes one`,
  };
}

/**
 * The secrets in an encrypted file.
 *
 * @param recipients text of the file of public keys, for the message when none of the private keys fits
 */
export async function openAgeFile(bytes: Uint8Array, files: AgeFiles, identities: Identities, recipients: string): Promise<SecretsContent> {
  const opened = await decryptAge(
    bytes,
    identities.keys.map(({ identity }) => identity),
  );
  if ('failure' in opened) return nothing(await failed(opened.failure, files, identities, recipients));
  return parseSecretsBytes(opened.plain, `${files.encrypted} (decrypted)`);
}

/** There is no private key on this machine. */
export function noIdentity({ environment, encrypted, recipients }: AgeFiles): MooringError {
  return new InputError(
    `${encrypted} cannot be decrypted: there is no private key: ${IDENTITY} and ${IDENTITY_FILE} are not set, and ${DEFAULT_IDENTITY_FILE} is not there`,
    { next: `${generate(environment, 'init')} makes one; its public key goes into ${recipients}, and somebody who has a key re-encrypts` },
  );
}

/** The command of the generator. */
export function generate(environment: string, action: string, name?: string): string {
  return `npx nx g nx-mooring:secrets ${environment} --action=${action}${name === undefined ? '' : ` --name=${name}`}`;
}

async function failed(failure: AgeFailure, files: AgeFiles, identities: Identities, recipients: string): Promise<MooringError> {
  const { encrypted, environment } = files;
  switch (failure) {
    case 'empty':
      return new InputError(`${encrypted} is empty`, { next: `git checkout HEAD -- ${encrypted}` });
    case 'no age file':
      return new SafetyError(`${encrypted} is not encrypted with age: it does not begin as such a file does`, {
        next: `secrets in clear must not be committed; git log -- ${encrypted} shows who wrote it`,
      });
    case 'damaged':
      return new SafetyError(`${encrypted} cannot be decrypted: it is damaged, or somebody has changed it`, {
        next: `git log -- ${encrypted} shows who did; git checkout <commit> -- ${encrypted} takes a whole one back. After a merge: take one side, add what the other had`,
      });
    case 'other recipients': {
      const listed = (await parseRecipients(recipients, files.recipients)).recipients;
      const own = identities.keys.map(({ recipient }) => recipient);
      const known = own.some((recipient) => listed.includes(recipient));
      const add = known ? '' : `add ${own.join(', ')} to ${files.recipients}; `;
      return new InputError(
        `${encrypted} is not encrypted to the key in ${identities.from}${known ? `, although ${files.recipients} has it` : ''}`,
        { next: `${add}somebody whose key fits runs ${generate(environment, 'reencrypt')} and commits` },
      );
    }
  }
}

function nothing(problem: MooringError): SecretsContent {
  return { values: new Map(), problems: [problem] };
}
