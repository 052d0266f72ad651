import { script } from '../../engine/command.ts';
import { commandFailed, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Neighbour } from './guard.ts';

/**
 * Who has an address, asked from a host: whether it is in one of the host's own networks, which MAC answers ARP, whether a ping is
 * answered. Machines that drop pings answer ARP too. The host is made to ask anew: an old entry of its table is taken away where we
 * may, and waited for where we may not.
 */
export function neighbourOf(address: string): Fact<Omit<Neighbour, 'host'>> {
  return {
    name: `neighbour ${address}`,
    command: script(
      'read',
      `route=$(ip -4 route get "$1") || exit 1
case $route in *' via '*) link=no;; local*|*' dev lo '*) link=own;; *) link=yes;; esac
dev=\${route#* dev }; dev=\${dev%% *}; entry=
if [ "$link" = yes ]; then
  ip neigh flush to "$1" 2>/dev/null || :
  ip neigh replace "$1" dev "$dev" use 2>/dev/null || bash -c 'echo >"/dev/udp/$0/9"' "$1" 2>/dev/null || :
fi
ping=unasked
if command -v ping >/dev/null; then ping=no; ! ping -n -c 2 -i 0.3 -W 1 "$1" >/dev/null 2>&1 || ping=yes; fi
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
  [ "$link" = yes ] || break
  entry=$(ip -4 neigh show to "$1")
  case $entry in *STALE*|*DELAY*|*PROBE*|*INCOMPLETE*) sleep 0.5;; *) break;; esac
done
printf '%s %s\\n%s\\n' "$link" "$ping" "$entry"`,
      [address],
      { timeoutMs: 30_000 },
    ),
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
