import { type Command, script } from '../../engine/command.ts';
import { shellProgram } from '../../shell/program.ts';
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
      shellProgram(import.meta.url, 'install-key.sh'),
      [repository.keyUrl, repository.fingerprint, keyPath(repository.fingerprint)],
      { timeoutMs: 120_000 },
    ),
    addSource(SOURCES_PATH, sources),
  ];
}
