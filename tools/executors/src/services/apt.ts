import type { Change } from '../engine/change.ts';
import { type Command, type CommandResult, script } from '../engine/command.ts';
import { commandFailed, InputError, MooringError } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';

/**
 * What the installation script does, in words: fetch the package lists if there are none, install, and if that
 * fails for a reason that is known to pass (an interrupted dpkg, stale lists, half-unpacked packages), put the
 * reason away and try once more. Nothing is ever removed (`--no-remove`), no question is asked, and changed
 * configuration files stay as they are.
 *
 * The lock: apt waits for dpkg's by itself (`DPkg::Lock::Timeout`), but not for the one of the lists (apt 2.6 and 3.0),
 * hence the loop in `update`. Where a source was added (`addSource`), its list may be the only one: then what its packages depend on is
 * "held broken packages". `Use-Pty=0` keeps the stderr of maintainer scripts apart. What apt says is kept on a tmpfs, so that a full disk
 * is told too.
 */
const INSTALL = `
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 NEEDRESTART_SUSPEND=1
said=$(mktemp -p /run); trap 'rm -f "$said"' EXIT
apt() {
  apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \\
    -o APT::Update::Error-Mode=any -o Acquire::Retries=2 --no-install-recommends --no-remove "$@" 2>"$said"
}
update() {
  left=150
  until apt update; do
    if ! grep -q 'Could not get lock' "$said" || [ "$left" -le 0 ]; then cat "$said" >&2; return 0; fi
    left=$((left - 1)); sleep 2
  done
}
set -- install -- "$@"
for list in /var/lib/apt/lists/*_Packages*; do break; done
[ -e "$list" ] || update
if apt "$@"; then exit 0; fi
if grep -q 'dpkg --configure -a' "$said"; then
  dpkg --force-confdef --force-confold --configure -a || true
  if apt "$@"; then exit 0; fi
fi
if grep -qE 'Unable to locate|no installation candidate|Failed to fetch|Unable to fetch|Unmet dependencies|unmet dependencies|held broken packages|needs to be reinstalled' "$said"; then
  update
  if grep -qiE 'unmet dependencies' "$said"; then apt --fix-broken install || cat "$said" >&2; fi
  if apt "$@"; then exit 0; fi
fi
cat "$said" >&2
exit 100
`;

const PACKAGE_NAME = /^[a-z0-9][a-z0-9.+-]+$/;

/**
 * Installs Debian packages, none of them removed, no recommendations taken along.
 *
 * @param packages names, at least one
 * @throws InputError for what is no package name: apt would take it for a pattern or an option
 */
export function installPackages(packages: readonly string[]): Command {
  return script('write', INSTALL, checkedNames(packages), { timeoutMs: 20 * 60_000 });
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

/** The source's lists are fetched while it is still beside apt's own sources: an unreachable or wrongly signed one never comes among them. */
const ADD_SOURCE = `
umask 022; export LC_ALL=C.UTF-8
work=$(mktemp -d -p /run); trap 'rm -rf "$work"' EXIT
cat >"$work/new.sources"
left=150
until apt-get -q update -o "Dir::Etc::sourcelist=$work/new.sources" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=false \\
  -o APT::Update::Error-Mode=any -o Acquire::Retries=2 2>"$work/said"; do
  if ! grep -q 'Could not get lock' "$work/said" || [ "$left" -le 0 ]; then cat "$work/said" >&2; exit 100; fi
  left=$((left - 1)); sleep 2
done
install -D -m 0644 "$work/new.sources" "$1"
`;

/**
 * Adds an apt source once it has answered with a good signature; else nothing is added.
 *
 * @param path below /etc/apt/sources.list.d, ending in `.sources`
 * @param text deb822 (sources.list(5)); its `Signed-By` names a key that is there already
 */
export function addSource(path: string, text: string): Command {
  return script('write', ADD_SOURCE, [path], { stdin: text, timeoutMs: 10 * 60_000 });
}

/** Its mirror is the one that apt has the release itself from. */
const ADD_BACKPORTS = `
. /etc/os-release
uri=$(apt-get update --print-uris | sed -n "s,^'\\(.*\\)/dists/$VERSION_CODENAME/InRelease'.*,\\1,p" | head -n 1)
[ -n "$uri" ] || { echo "apt has no source of $VERSION_CODENAME, whose mirror would have its backports" >&2; exit 100; }
set -- /etc/apt/sources.list.d/backports.sources
printf 'Types: deb\\nURIs: %s\\nSuites: %s-backports\\nComponents: main\\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\\n' \\
  "$uri" "$VERSION_CODENAME" | (${ADD_SOURCE})
`;

/** Adds the backports of the container's own Debian, from the mirror that it has already; as {@link addSource}. */
export function addBackports(): Command {
  return script('write', ADD_BACKPORTS, [], { timeoutMs: 10 * 60_000 });
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
