import { createHash } from 'node:crypto';
import type { FoundFile } from '../../engine/command.ts';
import { type Found, HEADER, type ManagedFile } from '../managed-file.ts';
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

/** The texts of all files. No secret is in any of them. */
export function desiredFiles(settings: RabbitmqSettings): Readonly<Record<FileName, string>> {
  return { conf: conf(settings), env: env(settings.nodeName), inetrc: inetrc(settings.nodeName), epmd: EPMD, order: ORDER };
}

/** One of the files as it must be: root's, and for all to read. */
export function managed(name: FileName, text: string): ManagedFile {
  return { kind: 'file', path: paths[name], content: text, mode: '644', owner: 'root:root' };
}

/** The file as it was found, beside its text. */
export function found(file: FoundFile | null, text: string): Found {
  return file === null ? null : { kind: 'file', ...file, same: file.text === text };
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
