/** The user that the application runs as, owns its releases, and that people log in as. */
export const USER = 'appuser';
export const HOME = `/home/${USER}`;

export const APP = '/srv/app';
export const RELEASES = `${APP}/releases`;
export const SHARED = `${APP}/shared`;
export const CURRENT = `${APP}/current`;
/** What deploys need and the application does not: key, known hosts, the repository's mirror, the lock. */
export const DEPLOY = `${APP}/.deploy`;
export const KEY = `${DEPLOY}/key`;
export const KNOWN_HOSTS = `${DEPLOY}/known_hosts`;
export const BUILD_ENV = `${DEPLOY}/build.env`;
export const SCRIPT = '/usr/local/bin/deploy_app.sh';

export const environmentPath = (environment: string) => `${APP}/.env.${environment}`;

/** First in the unit's and in every build's PATH: what the release itself brings. */
export const searchPath = (folder: string) => `${folder}/.venv/bin:${folder}/node_modules/.bin:/usr/local/bin:/usr/bin:/bin`;

/** A unit of the application: its name, its folder in a release, its port. */
export type AppUnit = { readonly name: string; readonly folder: string; readonly port: number; readonly start: readonly string[] };
