import type { Change } from '../engine/change.ts';
import { type Command, type CommandResult, script } from '../engine/command.ts';
import { commandFailed, InputError, MooringError } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import { shellProgram } from '../shell/program.ts';

const PACKAGE_NAME = /^[a-z0-9][a-z0-9.+-]+$/;

/**
 * Installs Debian packages, none of them removed, no recommendations taken along.
 *
 * @param packages names, at least one
 * @throws InputError for what is no package name: apt would take it for a pattern or an option
 */
export function installPackages(packages: readonly string[]): Command {
  return script('write', shellProgram(import.meta.url, 'install-packages.sh'), checkedNames(packages), { timeoutMs: 20 * 60_000 });
}

/**
 * The change that installs what is missing of the packages; none where all are there. Pure.
 *
 * @param installed as {@link installedPackages} tells it
 * @param first commands that must have run before the packages' own scripts do
 */
export function installMissing(
  packages: readonly string[],
  installed: Readonly<Record<string, string | undefined>>,
  first: readonly Command[] = [],
): Change[] {
  const missing = packages.filter((name) => installed[name] === undefined);
  if (missing.length === 0) return [];
  return [
    {
      resource: `packages ${missing.join(' ')}`,
      action: 'create',
      after: 'installed',
      impact: 'none',
      because: 'not installed',
      commands: [...first, installPackages(missing)],
    },
  ];
}

/**
 * Adds an apt source once it has answered with a good signature; else nothing is added.
 *
 * @param path below /etc/apt/sources.list.d, ending in `.sources`
 * @param text deb822 (sources.list(5)); its `Signed-By` names a key that is there already
 */
export function addSource(path: string, text: string): Command {
  return script('write', `${addSourceFunction()}\nadd_source "$1"`, [path], { stdin: text, timeoutMs: 10 * 60_000 });
}

function addSourceFunction(): string {
  return shellProgram(import.meta.url, 'add-source.sh');
}

/** Adds the backports of the container's own Debian, from the mirror that it has already; as {@link addSource}. */
export function addBackports(): Command {
  return script('write', `${addSourceFunction()}\n${shellProgram(import.meta.url, 'add-backports.sh')}`, [], { timeoutMs: 10 * 60_000 });
}

/**
 * Which of the packages are installed: name to version, `undefined` for one that is not there or only
 * half there (unpacked, half-configured, removed with its configuration left). One process for all.
 */
export function installedPackages(packages: readonly string[]): Fact<Record<string, string | undefined>> {
  const names = checkedNames(packages);
  return {
    name: 'installed packages',
    command: { argv: ['dpkg-query', '-W', '-f', '${Package}\\t${db:Status-Abbrev}\\t${Version}\\n', ...names], effect: 'read' },
    parse: (result) => parseInstalled(result, names),
  };
}

/** dpkg-query(1): exit code 1 says that a pattern matched nothing, 2 that it failed. */
function parseInstalled(result: CommandResult, names: readonly string[]): Record<string, string | undefined> {
  if (result.code > 1) throw commandFailed(result, 'dpkg-query failed: it is not known which packages are installed');
  const versions: Record<string, string | undefined> = Object.fromEntries(names.map((name) => [name, undefined]));
  const listed = new Set<string>();
  for (const line of result.stdout.split('\n').filter(Boolean)) {
    const match = /^([^\t]+)\t([a-zA-Z])([a-zA-Z])([ R])\t([^\t]*)$/.exec(line);
    if (match === null || !names.includes(match[1] as string)) throw new MooringError(`dpkg-query gave a line that is not known: ${line}`);
    const [, name, , status, broken, version] = match as unknown as [string, string, string, string, string, string];
    listed.add(name);
    if (status === 'i' && broken === ' ') versions[name] = version;
  }
  for (const name of names) {
    // "Absent" only where dpkg said so.
    if (!listed.has(name) && !result.stderr.split('\n').includes(`dpkg-query: no packages found matching ${name}`)) {
      throw commandFailed(result, `dpkg-query says nothing about ${name}`);
    }
  }
  return versions;
}

function checkedNames(packages: readonly string[]): readonly string[] {
  const wrong = packages.find((name) => !PACKAGE_NAME.test(name));
  if (wrong !== undefined || packages.length === 0) throw new InputError(`not a Debian package name: ${JSON.stringify(wrong ?? '')}`);
  return packages;
}
