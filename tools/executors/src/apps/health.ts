import { read } from '../engine/command.ts';
import { MooringError, mustSucceed } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import type { Connect, Desired, Health } from '../engine/service.ts';
import { askOver } from './ask-over.ts';
import { healthRequest, isExpected } from './health-request.ts';
import { SCRIPT } from './layout/paths.ts';
import type { AppSettings } from './settings.ts';

const TIMEOUT_MS = 5000;

/** The health check of the deploy script: the units run, the path answers as it is to, the other port answers. */
export function inside({ settings }: Desired<AppSettings>): Fact<Health> {
  return {
    name: 'health check',
    command: read([SCRIPT, 'health'], { timeoutMs: 5 * TIMEOUT_MS }),
    parse: (result) => {
      mustSucceed(result, `${settings.name} is not healthy`, { next: 'journalctl -u app-backend -u app-frontend, in the guest' });
      return { version: settings.kind, detail: `${settings.health.path} answers ${result.stdout.slice(0, 3)}` };
    },
  };
}

/**
 * The same request over the guest's address, as a user of the network gets it: through its firewall. A redirect to https is an answer here:
 * what the path says was judged inside, and an application may trust a proxy's headers from there alone.
 */
export async function outside({ settings }: Desired<AppSettings>, connect: Connect): Promise<Health> {
  const { health } = settings;
  const request = healthRequest(settings);
  const socket = await connect(request.port);
  try {
    const { code, location } = await askOver(socket, request, health.protocol, TIMEOUT_MS);
    const onward = code >= 300 && code < 400 && /^https:\/\//i.test(location ?? '');
    if (!isExpected(health, code) && !onward) {
      throw new MooringError(`port ${request.port} answers ${request.path} with ${code}`, {
        next: 'journalctl -u app-backend, in the guest',
      });
    }
    return { version: settings.kind, detail: `${request.path} answers ${code}` };
  } finally {
    socket.destroy();
  }
}
