import type { Duplex } from 'node:stream';
import type { Command, Host } from '../engine/command.ts';
import { hostFromTransport, type Transport } from './host.ts';
import { connectLocally, localTransport } from './local.ts';

/** A host that can be asked until it is closed. */
export type OpenHost = Host & {
  /** For what stands on it: guests, nested bundles. Its calls count as round trips. */
  readonly transport: Transport;
  /**
   * The same host, but never behind its other commands: over SSH only so many run at once. For what must not wait: the renewal of a lease.
   */
  readonly spare: Host;
  /** Opens a TCP connection from the host. @throws HostError */
  connect(address: string, port: number): Promise<Duplex>;
  /** Ends the connection; commands that still run lose theirs. */
  close(): Promise<void>;
  /** How often the host was asked: each `run` and `putFile`, also those of its guests. */
  readonly roundTrips: number;
};

/**
 * Opens a host.
 *
 * @param place `host` is `local` or an SSH alias; `sshConfig` the absolute path of an SSH configuration file in place of the user's;
 *   `sudo`: everything runs as root by sudo, which must not ask for a password
 * @throws HostError when it cannot be reached, is not the one that is known, or does not let us in
 */
export async function openHost(place: { host: string; sshConfig?: string | undefined; sudo?: boolean }): Promise<OpenHost> {
  let roundTrips = 0;
  const asRoot = (command: Command): Command => (place.sudo ? { ...command, argv: ['sudo', '-n', '--', ...command.argv] } : command);
  const counted = (inner: Transport): Transport => ({
    ...inner,
    exec: (command) => {
      roundTrips++;
      return inner.exec(asRoot(command));
    },
    execFile: (command, source) => {
      roundTrips++;
      return inner.execFile(asRoot(command), source);
    },
  });
  const way =
    place.host === 'local'
      ? { transport: localTransport(), spare: localTransport(), connect: connectLocally, close: async () => {} }
      : await import('./ssh.ts').then(({ openSsh }) => openSsh(place.host, place.sshConfig));
  const transport = counted(way.transport);
  return {
    ...hostFromTransport(transport),
    transport,
    spare: hostFromTransport(counted(way.spare)),
    connect: way.connect,
    close: way.close,
    get roundTrips() {
      return roundTrips;
    },
  };
}
