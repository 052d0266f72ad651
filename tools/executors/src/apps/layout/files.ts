import { joinSecret, type Secret } from '../../engine/secret.ts';
import { HEADER, type Managed } from '../../services/managed-file.ts';
import { databaseUrl } from '../database.ts';
import { renderEnvironmentFile } from '../environment-file.ts';
import type { AppSettings } from '../settings.ts';
import { inRelease, unitsOf } from './parts.ts';
import { APP, BUILD_ENV, DEPLOY, environmentPath, KEY, KNOWN_HOSTS, RELEASES, SCRIPT, SHARED, USER } from './paths.ts';
import { renderScript } from './script.ts';

const owner = `${USER}:${USER}`;

/** Everything of the layout but the units. `current` is not in it: deploys make it. */
export function layoutFiles(settings: AppSettings): Managed[] {
  const folder = (path: string, mode: string): Managed => ({ kind: 'folder', path, mode, owner });
  const secret = (path: string, content: Secret | string): Managed => ({ kind: 'file', path, content, mode: '0600', owner });
  return [
    folder(APP, '0755'),
    folder(RELEASES, '0755'),
    folder(SHARED, '0750'),
    folder(DEPLOY, '0700'),
    ...unitsOf(settings).map(
      (unit): Managed => ({ kind: 'link', path: `${APP}/${unit.name.replace('app-', '')}`, target: inRelease('current', unit.folder) }),
    ),
    secret(environmentPath(settings.environment), renderEnvironmentFile(environmentOf(settings))),
    secret(BUILD_ENV, renderEnvironmentFile(settings.buildVars)),
    ...(settings.deployKey === undefined ? [] : [secret(KEY, endLine(settings.deployKey))]),
    secret(KNOWN_HOSTS, renderKnownHosts(settings)),
    { kind: 'file', path: SCRIPT, content: renderScript(settings), mode: '0755', owner: 'root:root' },
  ];
}

function environmentOf({ envVars, postgres }: AppSettings): Readonly<Record<string, string | Secret>> {
  return { ...envVars, ...(postgres === undefined ? {} : { DATABASE_URL: databaseUrl(postgres) }) };
}

/** known_hosts (sshd(8)): the pinned keys of the git server, and no other host. */
export function renderKnownHosts({ repository, gitHostKeys }: AppSettings): string {
  const [, host, port] = /^ssh:\/\/[^@/]+@([\w.-]+)(?::(\d+))?\//.exec(repository) ?? /^[^@/:]+@([\w.-]+):/.exec(repository) ?? [];
  if (host === undefined) return HEADER;
  const name = port === undefined || port === '22' ? host : `[${host}]:${port}`;
  return `${HEADER}${gitHostKeys.map((key) => `${name} ${key.split(' ').slice(0, 2).join(' ')}\n`).join('')}`;
}

/** Text that ends with a newline, which OpenSSH wants of a private key. */
function endLine(text: Secret): Secret {
  return text.reveal().endsWith('\n') ? text : joinSecret([text, '\n']);
}
