import { type CommandResult, script } from '../../engine/command.ts';
import { MooringError, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { shellProgram } from '../../shell/program.ts';

/**
 * A shell function `asked`: sshd with an option that makes it only tell. It wants its empty folder even then, and where ssh.socket listens
 * and nobody is connected, systemd has taken that away with the service.
 */
const ASKED = `asked() { sshd "$1" 2>/dev/null || { mkdir -p -m 0755 /run/sshd && sshd "$1"; }; }`;

/** What sshd makes of its files: a line for each setting. */
export const SETTINGS = script('read', `${ASKED}\nasked -T`);

/** The shell function `reload_sshd`, with what it needs. */
export function reloadFunction(): string {
  return `${ASKED}\n${shellProgram(import.meta.url, 'reload-sshd.sh')}`;
}

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
  const { stdout } = mustSucceed(result, 'sshd did not report where it listens');
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
