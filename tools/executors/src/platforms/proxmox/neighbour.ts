import { script } from '../../engine/command.ts';
import { commandFailed, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Neighbour } from '../../engine/guest-platform.ts';
import { shellProgram } from '../../shell/program.ts';

/**
 * Who has an address, asked from a host: whether it is in one of the host's own networks, which MAC answers ARP, whether a ping is
 * answered. Machines that drop pings answer ARP too. The host is made to ask anew: an old entry of its table is taken away where we
 * may, and waited for where we may not.
 */
export function neighbourOf(address: string): Fact<Omit<Neighbour, 'host'>> {
  return {
    name: `neighbour ${address}`,
    command: script('read', shellProgram(import.meta.url, 'neighbour.sh'), [address], { timeoutMs: 30_000 }),
    parse(result) {
      mustSucceed(result, `it could not be asked who has ${address}`, { next: 'ip is needed there (iproute2)' });
      const [first = '', entry = ''] = result.stdout.split('\n');
      const [, link, ping] = /^(yes|no|own) (yes|no|unasked)$/.exec(first) ?? [];
      if (link === undefined) throw commandFailed(result, `the answer about who has ${address} is not understood`);
      const mac = /\blladdr ([0-9a-f:]{17})\b/i.exec(entry)?.[1]?.toUpperCase();
      const failed = /\b(FAILED|INCOMPLETE)\b/.test(entry);
      return {
        onLink: link !== 'no',
        own: link === 'own',
        mac: failed ? undefined : mac,
        ping: ping === 'unasked' ? undefined : ping === 'yes',
      };
    },
  };
}
