import { basename, dirname } from 'node:path';
import type { Tree } from '@nx/devkit';
import { InputError } from '../../engine/errors.ts';
import { ordinary } from '../../engine/ordinary.ts';
import { Secret } from '../../engine/secret.ts';
import { secretName } from '../../engine/secret-reference.ts';
import { WHY_ORDINARY } from '../../engine/secret-warnings.ts';
import { withSecret } from '../../secrets/format.ts';
import { randomSecret } from '../../secrets/random.ts';
import { filesOf } from '../shared/tree.ts';
import { openVault, type Vault } from './vault.ts';
import type { Work } from './work.ts';

/** Adds secrets that are not there, or have no value yet. One that is there with the same value stays. @throws InputError when it has another */
export async function addValues(work: Work): Promise<readonly string[]> {
  const { options, edge, files } = work;
  const names = namesOf(work);
  const vault = await openVault(work);
  const there = names.filter((name) => hasValue(vault, name));
  const missing = names.filter((name) => !hasValue(vault, name));
  if (!options.random) {
    for (const name of there) {
      if ((await edge.ask(name)).reveal() !== vault.values.get(name)?.reveal())
        throw new InputError(`${name} is in ${files.encrypted} already, with another value`, { next: '--action=rotate' });
    }
  }
  if (missing.length > 0) await write(work, vault, missing);
  return [
    ...there.map((name) => `${name} is in ${files.encrypted} already: nothing to do`),
    ...missing.map((name) => `${name}: added to ${files.encrypted}`),
    ...(missing.length === 0 ? [] : [`Commit ${files.encrypted}.`]),
  ];
}

/** Gives secrets another value. @throws InputError for one that is not there, or when the value is the one that it has */
export async function rotateValues(work: Work): Promise<readonly string[]> {
  const { options, files } = work;
  const names = namesOf(work);
  const vault = await openVault(work);
  const absent = names.find((name) => !vault.values.has(name));
  if (absent !== undefined) throw new InputError(`${absent} is not in ${files.encrypted}`, { next: '--action=add' });
  await write(work, vault, names);
  return [
    ...names.map((name) => `${name}: another value is in ${files.encrypted}`),
    `Commit ${files.encrypted}, then: npx nx affected -t plan -c ${options.environment}, and configure. The old value works until then.`,
  ];
}

/** Asks for all values before anything is written. */
async function write({ options, edge, files, tree }: Work, vault: Vault, names: readonly string[]): Promise<void> {
  const things = namesIn(tree, options.environment);
  let text = vault.text.reveal();
  for (const name of names) {
    const value = options.random ? randomSecret() : await edge.ask(name);
    refuseOrdinary(name, value, things);
    if (value.reveal() === vault.values.get(name)?.reveal())
      throw new InputError(`${name}: this is the value that it has in ${files.encrypted}`, { next: 'give it another, or --random' });
    text = withSecret(text, name, value.reveal());
  }
  await vault.write(new Secret(text));
}

/** @throws InputError for a value that could not be hidden wherever it stands; without the value */
function refuseOrdinary(name: string, value: Secret, things: readonly string[]): void {
  const why = ordinary(value.reveal(), things);
  if (why === undefined) return;
  throw new InputError(`${name}: the value could not be hidden in outputs: ${WHY_ORDINARY[why]}`, {
    next: 'use --random, or a value of at least 8 characters that is not a plain word',
  });
}

/** Names of the environment, and of the projects in the infra folder. */
function namesIn(tree: Tree, environment: string): string[] {
  const { files } = filesOf(tree);
  return [environment, ...[...files.containers, ...files.apps, ...files.storages].map((file) => basename(dirname(file)))];
}

function hasValue(vault: Vault, name: string): boolean {
  return (vault.values.get(name)?.reveal() ?? '') !== '';
}

function namesOf({ options }: Work): readonly string[] {
  const { action, name: names } = options;
  const wrong = names.find((name) => !secretName.safeParse(name).success);
  if (wrong !== undefined || names.length === 0)
    throw new InputError(
      `nx-mooring:secrets options: name: found ${wrong === undefined ? 'nothing' : JSON.stringify(wrong)}; expected the name of a secret, upper case`,
      { next: `--action=${action} --name=REDIS_PASSWORD` },
    );
  return [...new Set(names)];
}
