import { type AppSettings, appService, appSettings } from '../../tools/executors/src/apps/index.ts';
import { showError } from '../../tools/executors/src/engine/errors.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import type { GuestSession } from '../../tools/executors/src/shared/app/guest.ts';
import type { Guest } from './app-guest.ts';

/** Settings as app.json gives them, with what a test's guest has. */
export function settingsOf(given: Record<string, unknown>): AppSettings {
  return appSettings.parse(given);
}

/** A run on a guest, and the lines that it told. */
export function runOn(guest: Guest, host: OpenHost, settings: AppSettings, told: string[] = []): GuestSession {
  return {
    host,
    desired: {
      settings,
      context: {
        environment: settings.environment,
        instance: guest.name,
        clientNetworks: [],
        artifacts: appService(settings).artifacts?.(settings) ?? {},
      },
    },
    signal: new AbortController().signal,
    progress: (line) => void told.push(line),
    now: () => new Date(),
    obtain: () => Promise.reject(new Error('no artifact was expected')),
  };
}

/** The text of the error that this ends with. @throws when it ends well */
export async function failure(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => {
      throw new Error('it was expected to fail');
    },
    (error) => showError(error),
  );
}
