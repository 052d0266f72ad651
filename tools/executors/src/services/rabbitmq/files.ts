import { createHash } from 'node:crypto';
import { type Command, type FoundFile, restoreFile, writeFile } from '../../engine/command.ts';
import type { RabbitmqSettings } from './settings.ts';

export const UNIT = 'rabbitmq-server.service';

/** Where Debian's package keeps things. */
export const paths = {
  conf: '/etc/rabbitmq/rabbitmq.conf',
  env: '/etc/rabbitmq/rabbitmq-env.conf',
  inetrc: '/etc/rabbitmq/inetrc',
  epmd: '/etc/systemd/system/epmd.socket.d/mooring.conf',
  order: '/etc/systemd/system/rabbitmq-server.service.d/mooring.conf',
  cookie: '/var/lib/rabbitmq/.erlang.cookie',
  home: '/var/lib/rabbitmq',
  data: '/var/lib/rabbitmq/mnesia',
  /** What the unit prints: on a failed start, the reason. */
  output: '/var/log/rabbitmq/rabbitmq-server.log',
} as const;

/** Port of the Erlang distribution, on loopback: RabbitMQ's default for AMQP port 5672, pinned for any. */
export const DISTRIBUTION_PORT = 25672;

export type FileName = 'conf' | 'env' | 'inetrc' | 'epmd' | 'order';

const HEADER = '# Written by nx-mooring: changes made here are undone by the next configure.\n';

/** The texts of all files. No secret is in any of them. */
export function desiredFiles(settings: RabbitmqSettings): Readonly<Record<FileName, string>> {
  return { conf: conf(settings), env: env(settings.nodeName), inetrc: inetrc(settings.nodeName), epmd: EPMD, order: ORDER };
}

/** Whose files these are, and who may read them. */
const MODE = '644';
const OWNER = 'root:root';
export const RIGHTS = `${MODE} ${OWNER}`;

/** In which way a file is not as it should be; nothing where it is. */
export function difference(found: FoundFile | null, text: string): string | undefined {
  if (found === null) return 'there is no such file';
  if (found.text !== text) return 'the file differs from the settings';
  if (found.mode !== MODE || found.owner !== OWNER)
    return `its mode and owner are ${found.mode} ${found.owner} instead of ${MODE} ${OWNER}`;
  return undefined;
}

/** Writes one of the files. */
export function putFile(name: FileName, text: string): Command {
  return writeFile({ path: paths[name], content: text, mode: MODE, owner: OWNER });
}

/** Puts back what was there before. An owner whom the container does not know has no name that it could be given back to. */
export function putBack(name: FileName, found: FoundFile | null): Command {
  return restoreFile(paths[name], found?.owner.includes('UNKNOWN') ? { ...found, owner: OWNER } : found);
}

/** What the node was started with, if it was started with these files; see {@link env}. 64 hex digits. */
export function fingerprint(files: Readonly<Record<FileName, string>>): string {
  return createHash('sha256')
    .update(files.conf + files.env + files.inetrc)
    .digest('hex');
}

function conf({ port, parameters }: RabbitmqSettings): string {
  const lines = [['listeners.tcp.default', String(port)], ...Object.entries(parameters)].map(([key, value]) => `${key} = ${value}\n`);
  return HEADER + lines.join('');
}

/**
 * rabbitmq-env.conf is a shell script that every start of the node reads. So the node itself notes which files it was
 * started with, as an argument that Erlang keeps and does not look at (`init:get_argument(mooring)`): whether a restart is due
 * is then known for certain, after a run that was killed between writing and restarting as well.
 *
 * Erlang's own traffic stays inside the container: it is protected by the cookie alone (RabbitMQ manual, "Networking").
 */
function env(nodeName: string): string {
  return `${HEADER}NODENAME=${nodeName}
DIST_PORT=${DISTRIBUTION_PORT}
SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
CTL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
ERL_EPMD_ADDRESS=127.0.0.1
export ERL_INETRC=${paths.inetrc}
SERVER_START_ARGS="-mooring $(cat ${paths.conf} ${paths.env} ${paths.inetrc} | sha256sum | cut -c 1-64)"
`;
}

/** The node's host name means loopback to Erlang, whatever the container is called. */
function inetrc(nodeName: string): string {
  return `%${HEADER}{host, {127,0,0,1}, ["${nodeName.replace(/^.*@/, '')}"]}.\n{lookup, [file, native]}.\n`;
}

/** Debian starts epmd by a socket that listens on all addresses (Debian 12 and 13, erlang-base). */
const EPMD = `${HEADER}[Socket]\nListenStream=\nListenStream=127.0.0.1:4369\n`;

/**
 * Debian ends epmd before the node when the container stops: `rabbitmqctl stop` then finds no node, and its unit fails (Debian 12's
 * rabbitmq-server 3.10.8; measured, the container stops in 3.5 s with this and in 6.8 s without).
 */
const ORDER = `${HEADER}[Unit]\nAfter=epmd.service\n`;
