import { type CommandResult, script } from '../../engine/command.ts';
import { MooringError, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';

/**
 * A shell function `asked`: sshd with an option that makes it only tell. It wants its empty folder even then, and where ssh.socket listens
 * and nobody is connected, systemd has taken that away with the service.
 */
const ASKED = `asked() { sshd "$1" 2>/dev/null || { mkdir -p -m 0755 /run/sshd && sshd "$1"; }; }`;

/** What sshd makes of its files: a line for each setting. */
export const SETTINGS = script('read', `${ASKED}\nasked -T`);

/**
 * Shell: the files are checked, then every sshd that listens reads them again, whatever its unit is called. One that a socket starts for the
 * next connection reads them by itself. A log-in's own process may listen too, for what it forwards: in the service's cgroup or in none of a
 * service, so that each service is told once and a log-in never.
 */
export const RELOAD = `${ASKED}
services_of_sshd() {
  printf '%s\\n' "$1" | sed -n 's/.*"sshd",pid=\\([0-9]*\\),.*/\\1/p' | while read -r pid; do
    sed -n 's|.*/\\([^/]*\\.service\\)$|\\1|p' "/proc/$pid/cgroup"
  done | sort -u
}
reload_sshd() {
  asked -t && listening=$(ss -Hltnp) || return 1
  for unit in $(services_of_sshd "$listening"); do
    if [ "$(systemctl show --value -p CanReload "$unit")" = yes ]; then systemctl reload "$unit" || return 1
    else kill -HUP "$(systemctl show --value -p MainPID "$unit")" || return 1; fi
  done
}`;

/** Where sshd can be reached: the ports that must not be closed. */
export const sshPorts: Fact<number[]> = {
  name: 'ports of sshd',
  command: script(
    'read',
    `${ASKED}
asked -T; ss -Hltnp; systemctl list-sockets --full --no-legend --no-pager; printf 'connection %s\\n' "\${SSH_CONNECTION:-}"`,
  ),
  parse: parsePorts,
};

const ADDRESS = String.raw`(?:\[[^\]\s]*\]|[\d.]+|\*)(?:%\S+)?`;
const LOOPBACK = /^(?:127\.|\[::1\]|\[::ffff:127\.)/;

/**
 * Where its files say (it may not have been started since they were changed), where it listens, where systemd listens for it, and by which
 * port this connection came.
 */
function parsePorts(result: CommandResult): number[] {
  const { stdout } = mustSucceed(result, 'sshd did not tell where it listens');
  const named = [...stdout.matchAll(/^port (\d+)$/gm), ...stdout.matchAll(/^connection \S+ \d+ \S+ (\d+)$/gm)];
  // What a log-in forwards is also held by an sshd, mostly on the loopback address, which no firewall closes.
  const held = [
    ...stdout.matchAll(new RegExp(`^LISTEN +\\d+ +\\d+ +(${ADDRESS}):(\\d+) .*[(]"sshd",`, 'gm')),
    ...stdout.matchAll(new RegExp(`^(${ADDRESS}):(\\d+) +(?=.*ssh)`, 'gm')),
  ].filter(([, address = '']) => !LOOPBACK.test(address));
  const ports = [...new Set([...named.map(([, port]) => Number(port)), ...held.map(([, , port]) => Number(port))])];
  if (ports.length === 0) throw new MooringError('sshd -T names no port: with the firewall on, nobody would come in any more');
  return ports;
}
