import { read } from '../engine/command.ts';
import { MooringError, mustSucceed } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import type { Connect, Desired, Health } from '../engine/service.ts';
import { SCRIPT } from './layout/paths.ts';
import type { AppSettings } from './settings.ts';

const TIMEOUT_MS = 5000;

/** The health check of the deploy script: the units run, the path answers with 2xx, the other port answers. */
export function inside({ settings }: Desired<AppSettings>): Fact<Health> {
  return {
    name: 'health check',
    command: read([SCRIPT, 'health'], { timeoutMs: 2 * TIMEOUT_MS }),
    parse: (result) => {
      mustSucceed(result, `${settings.name} is not healthy`, { next: 'journalctl -u app-backend -u app-frontend, in the guest' });
      return { version: settings.kind, detail: `${settings.health.path} answers ${result.stdout.slice(0, 3)}` };
    },
  };
}

/** The same path over the guest's address, as a user of the network gets it: through its firewall. */
export async function outside({ settings }: Desired<AppSettings>, connect: Connect): Promise<Health> {
  const { path, of } = settings.health;
  const port = settings.ports[of];
  const socket = await connect(port);
  try {
    const reply = await new Promise<string>((resolve, reject) => {
      let text = '';
      const timer = setTimeout(() => reject(new MooringError(`port ${port} gave no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
      const end = () => {
        clearTimeout(timer);
        resolve(text);
      };
      socket.setEncoding('utf8');
      socket.on('data', (part: string) => {
        text += part;
        if (text.includes('\r\n')) end();
      });
      socket.on('end', end).on('close', end).on('error', reject);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${settings.name}\r\nConnection: close\r\n\r\n`);
    });
    const [, code] = /^HTTP\/1\.[01] (\d{3})/.exec(reply) ?? [];
    if (code === undefined || !code.startsWith('2')) {
      throw new MooringError(`port ${port} answers ${path} with ${code ?? 'no HTTP'}`, { next: 'journalctl -u app-backend, in the guest' });
    }
    return { version: settings.kind, detail: `${path} answers ${code}` };
  } finally {
    socket.destroy();
  }
}
