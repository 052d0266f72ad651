import { createHash } from 'node:crypto';
import { quote } from '../../engine/quote.ts';
import { shellText } from '../../shell/program.ts';
import { healthRequest } from '../health-request.ts';
import type { AppSettings } from '../settings.ts';
import { givenVariables, inRelease, unitsOf } from './parts.ts';
import { APP, BUILD_ENV, CURRENT, DEPLOY, environmentPath, HOME, KEY, KNOWN_HOSTS, RELEASES, SCRIPT, USER } from './paths.ts';
import { kindFunctions } from './script-build.ts';
import { healthFunctions } from './script-health.ts';

/** sha256 of the deploy script of these settings: a guest that has another one is not configured with them. */
export function scriptHash(settings: AppSettings): string {
  return createHash('sha256').update(renderScript(settings)).digest('hex');
}

/**
 * /usr/local/bin/deploy_app.sh: the steps of a deploy, by hand (`deploy_app.sh`) and for nx-mooring, which calls them one by one
 * (`deploy_app.sh step …`). It holds no secret.
 */
export function renderScript(settings: AppSettings): string {
  const units = unitsOf(settings);
  const asked = healthRequest(settings);
  const others = units.filter(({ port }) => port !== asked.port);
  const constants = {
    SELF: SCRIPT,
    APP,
    RELEASES,
    CURRENT,
    DEPLOY,
    KEY,
    KNOWN_HOSTS,
    MIRROR: `${DEPLOY}/repository.git`,
    BUILD_ENV,
    ENV_FILE: environmentPath(settings.environment),
    REPOSITORY: settings.repository,
    BRANCH: settings.branch,
    POINTERS: settings.pointers,
    RUN_AS: USER,
    RUN_HOME: HOME,
    UNITS: units.map(({ name }) => `${name}.service`).join(' '),
    HEALTH_URL: asked.shown,
    HEALTH_HOST: asked.host ?? '',
    HEALTH_SECONDS: String(settings.health.timeoutSeconds),
    OTHER_PORTS: others.map(({ port }) => port).join(' '),
    FOLDERS: units.map(({ folder }) => inRelease('.', folder)).join(' '),
  };
  const part = (name: string) => shellText(import.meta.url, name);
  const parts = [
    kindFunctions(settings),
    ...['deploy-helpers.sh', 'deploy-fetch.sh', 'deploy-build.sh'].map(part),
    healthFunctions(settings),
    ...['deploy-activate.sh', 'deploy-main.sh'].map(part),
  ];
  return `#!/bin/sh
# Written by nx-mooring: changes made here are undone by the next configure.
# Deploys ${settings.name} (${settings.environment}) on this guest: deploy_app.sh help
set -eu

${Object.entries(constants)
  .map(([name, value]) => `${name}=${quote(value)}`)
  .join('\n')}
export LC_ALL=C.UTF-8 ${Object.entries(givenVariables(settings))
    .map(([name, value]) => `${name}=${quote(value)}`)
    .join(' ')}

${parts.join('')}`;
}
