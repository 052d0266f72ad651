import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, type MooringError, ProblemsError } from '../engine/errors.ts';
import { Secret } from '../engine/secret.ts';
import type { FoundSecrets } from '../engine/secret-reference.ts';
import { envFile, envFileSource, SECRETS_FOLDER } from './env-file.ts';
import { sourceOf } from './source.ts';
import type { SecretSource, SecretsContent, SecretsOf, Variables } from './types.ts';

type Options = { readonly infra: string; readonly variables?: Variables; readonly signal?: AbortSignal };

/**
 * The values of secrets; see {@link findSecrets}.
 *
 * @throws ProblemsError with everything that is missing, empty or wrong with the source, at once
 */
export async function loadSecrets(
  root: string,
  environment: SecretsOf,
  names: readonly string[],
  options: Options,
): Promise<ReadonlyMap<string, Secret>> {
  const { found, missing } = await findSecrets(root, environment, names, options);
  refuseIncomplete(environment, [...missing.values()]);
  return found;
}

/**
 * Finds the values of secrets: `MOORING_<ENVIRONMENT>_<NAME>` of our environment, else where the environment's file says
 * that they are. Another environment's values are never used.
 *
 * @param root of the workspace, absolute
 * @param infra the folder of its environments' files, relative to it
 * @param names each once; nothing is read for those that a variable gives
 * @throws ProblemsError with everything that is wrong with the source
 */
export async function findSecrets(
  root: string,
  environment: SecretsOf,
  names: readonly string[],
  { infra, variables = process.env, signal }: Options,
): Promise<FoundSecrets> {
  if (names.length === 0) return { found: new Map(), missing: new Map() };
  const others = await otherEnvironments(root, infra, environment.name);
  const overridden = overrides(environment.name, names, variables, others);
  const source = sourceOf(environment, { root, infra, variables, signal });
  const { values, problems } = names.every((name) => overridden.has(name)) ? NOTHING : await source.read();
  // What is wrong with the source is enough to say: half of its names would seem to be missing.
  refuseIncomplete(environment, problems);
  const found = new Map<string, Secret>();
  const missing: string[] = [];
  for (const name of names) {
    const value = overridden.get(name) ?? values.get(name);
    if (value?.reveal()) found.set(name, value);
    else missing.push(name);
  }
  const why = await missingProblems(root, missing, { source, values, overridden, environment, others });
  return { found, missing: new Map(missing.map((name, i) => [name, why[i] as MooringError])) };
}

function refuseIncomplete({ name }: SecretsOf, problems: readonly MooringError[]): void {
  if (problems.length > 0) throw new ProblemsError(`the secrets of ${name} are not complete`, problems);
}

const NOTHING: SecretsContent = { values: new Map(), problems: [] };

/** The variable that overrides a secret of an environment. */
export function overrideName(environment: string, name: string): string {
  return `${prefix(environment)}${name}`;
}

function prefix(environment: string): string {
  return `MOORING_${environment.toUpperCase().replaceAll('-', '_')}_`;
}

/** `MOORING_PROD_EU_KEY` is EU_KEY of `prod` only if there is no `prod-eu`: a variable is of the environment with the longest name that fits. */
function overrides(environment: string, names: readonly string[], variables: Variables, others: readonly string[]): Map<string, Secret> {
  const mine = prefix(environment);
  const entries = names.flatMap((name): [string, Secret][] => {
    const variable = overrideName(environment, name);
    const value = variables[variable];
    const ofAnother = others.some((other) => prefix(other).length > mine.length && variable.startsWith(prefix(other)));
    return value === undefined || ofAnother ? [] : [[name, new Secret(value)]];
  });
  return new Map(entries);
}

type Known = SecretsContent['values'];

async function missingProblems(
  root: string,
  missing: readonly string[],
  seen: { source: SecretSource; values: Known; overridden: Known; environment: SecretsOf; others: readonly string[] },
): Promise<MooringError[]> {
  if (missing.length === 0) return [];
  const { source, environment } = seen;
  // Only files in clear are looked into: they ask for no key and start nothing.
  const elsewhere = await Promise.all(
    [...seen.others, environment.name].map(async (other) => ({
      other,
      names: envFile(other) === source.name ? new Map() : (await envFileSource(root, other).read()).values,
    })),
  );
  return missing.map((name) => {
    const variable = overrideName(environment.name, name);
    if (seen.overridden.has(name))
      return new InputError(`${name}: ${variable} is set and empty`, { next: `give ${variable} a value, or unset it` });
    if (seen.values.has(name)) return new InputError(`${name} is empty in ${source.name}`, { next: source.howToSet(name, false) });
    const holder = elsewhere.find(({ names }) => names.has(name))?.other;
    return new InputError(`${name} is missing in ${source.name}, and ${variable} is not set${also(holder, environment)}`, {
      next: source.howToSet(name, true),
    });
  });
}

/** Why a file that has the name does not serve. */
function also(holder: string | undefined, { name, secrets }: SecretsOf): string {
  if (holder === undefined) return '';
  const why =
    holder === name ? `the environment's secrets are of provider "${secrets.provider}"` : "one environment's secret never serves another";
  return ` (${envFile(holder)} has it, but ${why})`;
}

async function otherEnvironments(root: string, infra: string, environment: string): Promise<string[]> {
  const names = (path: string, ending: string) =>
    readdir(join(root, path)).then(
      (files) => files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length)),
      () => [],
    );
  const all = await Promise.all([names(SECRETS_FOLDER, '.env'), names(`${infra}/environments`, '.json')]);
  return [...new Set(all.flat())].filter((name) => name !== environment && name !== 'example' && /^[a-z][a-z0-9-]*$/.test(name)).sort();
}
