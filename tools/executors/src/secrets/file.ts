import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, type MooringError, ProblemsError, SafetyError } from '../engine/errors.ts';
import { Secret } from '../engine/secret.ts';
import { runTool } from '../hosts/process.ts';
import { parseSecrets } from './format.ts';

/** The folder of the secrets files; nx loads none of it. */
const folder = '.secrets';

/** Variables, as `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Finds the values of secrets: `MOORING_<ENVIRONMENT>_<NAME>` of our environment, else `.secrets/<environment>.env`.
 * Another environment's values are never used.
 *
 * @param root of the workspace, absolute
 * @param names each once
 * @throws ProblemsError with everything that is missing, empty or wrong with the file, at once
 */
export async function loadSecrets(
  root: string,
  environment: string,
  names: readonly string[],
  variables: Variables = process.env,
): Promise<Map<string, Secret>> {
  if (names.length === 0) return new Map();
  const others = await otherEnvironments(root, environment);
  const overridden = overrides(environment, names, variables, others);
  const file = `${folder}/${environment}.env`;
  const { values, problems } = await readSecretsFile(root, file);
  const found = new Map<string, Secret>();
  const missing: string[] = [];
  for (const name of names) {
    const value = overridden.get(name) ?? values.get(name);
    if (value?.reveal()) found.set(name, value);
    else missing.push(name);
  }
  // What is wrong with the file is enough to say: half of its names would seem to be missing.
  if (problems.length === 0) problems.push(...(await missingProblems(root, file, missing, { values, overridden, environment, others })));
  if (problems.length > 0) throw new ProblemsError(`the secrets of ${environment} are not complete`, problems);
  return found;
}

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

type FileContent = { values: Map<string, Secret>; problems: MooringError[] };

/** Reads a secrets file that is ours alone. A file that is not there has no values. */
async function readSecretsFile(root: string, file: string): Promise<FileContent> {
  const path = join(root, file);
  let handle: FileHandle;
  try {
    // No symbolic link: what it points to may be tracked, or anybody's.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { values: new Map(), problems: [] };
    const why = code === 'ELOOP' ? 'it is a symbolic link' : code;
    return { values: new Map(), problems: [new SafetyError(`${file} is not read: ${why}`, { next: `ls -l ${file}` })] };
  }
  try {
    const [problems, bytes] = await Promise.all([distrust(root, file, handle), handle.readFile()]);
    if (problems.length > 0) return { values: new Map(), problems };
    return parseSecrets(new TextDecoder('utf-8', { fatal: true }).decode(bytes), file);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { values: new Map(), problems: [new InputError(`${file} is not UTF-8`, { next: `file ${file}` })] };
  } finally {
    await handle.close();
  }
}

/** Why the file must not be used: others can read it, it is not ours, or it is in git. */
async function distrust(root: string, file: string, handle: FileHandle): Promise<MooringError[]> {
  const [{ mode, uid }, tracked] = await Promise.all([handle.stat(), isTracked(root, file)]);
  const problems: MooringError[] = [];
  if ((mode & 0o7177) !== 0) {
    problems.push(
      new SafetyError(`${file} can be used by others: its mode is 0${(mode & 0o7777).toString(8)}, not 0600`, {
        next: `chmod 600 ${file}`,
      }),
    );
  }
  const me = process.getuid?.();
  if (uid !== me) problems.push(new SafetyError(`${file} belongs to user ${uid}, and this is user ${me}`, { next: `ls -l ${file}` }));
  if (tracked) {
    problems.push(
      new SafetyError(`${file} is tracked by git: its secrets are in the history`, {
        next: `git rm --cached ${file}, add it to .gitignore, and change every secret in it`,
      }),
    );
  }
  return problems;
}

async function isTracked(root: string, file: string): Promise<boolean> {
  const { code, stderr } = await runTool(['git', 'ls-files', '--error-unmatch', '--', file], { cwd: root });
  if (code === 0) return true;
  if (code === 1 || /not a git repository/.test(stderr)) return false;
  throw new SafetyError(`git does not say whether ${file} is tracked`, {
    command: `git ls-files --error-unmatch -- ${file}`,
    code,
    stderr: stderr.trim(),
  });
}

type Known = FileContent['values'];

async function missingProblems(
  root: string,
  file: string,
  missing: readonly string[],
  seen: { values: Known; overridden: Known; environment: string; others: readonly string[] },
): Promise<MooringError[]> {
  if (missing.length === 0) return [];
  const elsewhere = await Promise.all(
    seen.others.map(async (other) => ({
      other: `${folder}/${other}.env`,
      names: (await readSecretsFile(root, `${folder}/${other}.env`)).values,
    })),
  );
  return missing.map((name) => {
    const variable = overrideName(seen.environment, name);
    if (seen.overridden.has(name))
      return new InputError(`${name}: ${variable} is set and empty`, { next: `give ${variable} a value, or unset it` });
    if (seen.values.has(name)) return new InputError(`${name} is empty in ${file}`, { next: `write its value behind ${name}= in ${file}` });
    const holder = elsewhere.find(({ names }) => names.has(name))?.other;
    const also = holder === undefined ? '' : ` (${holder} has it, but one environment's secret never serves another)`;
    return new InputError(`${name} is missing in ${file}, and ${variable} is not set${also}`, { next: addCommand(file, name) });
  });
}

/** A random value; no secret is in the command's text, and a last line without its newline stays whole. */
function addCommand(file: string, name: string): string {
  return `(umask 077; printf '\\n${name}=%s\\n' "$(openssl rand -hex 24)" >> ${file}), or write the value that it has already into ${file}`;
}

async function otherEnvironments(root: string, environment: string): Promise<string[]> {
  const names = (path: string, ending: string) =>
    readdir(join(root, path)).then(
      (files) => files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length)),
      () => [],
    );
  const all = await Promise.all([names(folder, '.env'), names('infra/environments', '.json')]);
  return [...new Set(all.flat())].filter((name) => name !== environment && name !== 'example' && /^[a-z][a-z0-9-]*$/.test(name)).sort();
}
