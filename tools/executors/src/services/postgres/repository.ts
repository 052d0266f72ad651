import { type Command, script } from '../../engine/command.ts';
import { addSource, installPackages } from '../apt.ts';
import type { defaultApt } from './settings.ts';

export type Repository = typeof defaultApt;

export const SOURCES_PATH = '/etc/apt/sources.list.d/mooring-postgresql.sources';

/** Where the key is kept; another fingerprint is another file. */
export const keyPath = (fingerprint: string) => `/etc/apt/keyrings/mooring-postgresql-${fingerprint}.asc`;

/** The apt source (sources.list(5), deb822): only the pinned key counts for it, and it counts for nothing else. */
export function renderSources(repository: Repository, codename: string): string {
  return [
    'Types: deb',
    `URIs: ${repository.url}`,
    `Suites: ${repository.suite ?? `${codename}-pgdg`}`,
    `Components: ${repository.component}`,
    `Signed-By: ${keyPath(repository.fingerprint)}`,
    '',
  ].join('\n');
}

/** Gets the key and refuses any but the pinned one, then adds the repository, for which apt takes that key alone. */
export function addRepository(repository: Repository, sources: string): Command[] {
  return [
    installPackages(['ca-certificates', 'gpg']),
    script(
      'write',
      `umask 022; export LC_ALL=C.UTF-8
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; export GNUPGHOME="$work"
/usr/lib/apt/apt-helper -q -o Acquire::Retries=2 download-file "$1" "$work/key.asc"
head -n 1 "$work/key.asc" | grep -qx -e '-----BEGIN PGP PUBLIC KEY BLOCK-----' || { echo "$1 is no ASCII-armored public key" >&2; exit 65; }
listing=$(gpg --batch --show-keys --with-colons "$work/key.asc")
found=$(printf '%s\\n' "$listing" | awk -F: '$1 == "pub" { primary = 1 } $1 == "fpr" && primary { print $10; primary = 0 }')
if [ "$found" != "$2" ]; then
  echo "the key at $1 has the fingerprint \${found:-of nothing}; pinned is $2. It was not installed." >&2; exit 65
fi
install -D -m 0644 "$work/key.asc" "$3"`,
      [repository.keyUrl, repository.fingerprint, keyPath(repository.fingerprint)],
      { timeoutMs: 120_000 },
    ),
    addSource(SOURCES_PATH, sources),
  ];
}
