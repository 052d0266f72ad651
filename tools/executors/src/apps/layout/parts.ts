import type { AppSettings } from '../settings.ts';
import { type AppUnit, SHARED } from './paths.ts';

/** The application's long-running units. The folder is the one in the repository. */
export function unitsOf({ node, python, ports }: AppSettings): readonly AppUnit[] {
  const backend = node?.backend ?? python;
  const frontend = node?.frontend ?? python?.frontend;
  return [
    ...(backend === undefined ? [] : [{ name: 'app-backend', folder: backend.folder, port: ports.backend, start: backend.start }]),
    ...(frontend === undefined ? [] : [{ name: 'app-frontend', folder: frontend.folder, port: ports.frontend, start: frontend.start }]),
  ];
}

/** Where a folder of the repository is in the release that is live, or in any. */
export function inRelease(release: string, folder: string): string {
  return folder === '.' ? release : `${release}/${folder}`;
}

/** What every process of the application finds in its environment beside its own variables. */
export function givenVariables({ environment, ports }: AppSettings): Readonly<Record<string, string>> {
  return {
    APP_ENVIRONMENT: environment,
    APP_SHARED: SHARED,
    BACKEND_PORT: String(ports.backend),
    FRONTEND_PORT: String(ports.frontend),
  };
}
