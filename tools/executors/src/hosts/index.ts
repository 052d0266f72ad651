import type { Command } from '../engine/command.ts';
import { type HostPlace, hostFromTransport, type OpenHost, type Transport } from '../engine/transport.ts';
import { connectLocally, localTransport } from './local.ts';

/**
 * Opens a host.
 *
 * @throws HostError when it cannot be reached, is not the one that is known, or does not let us in
 */
export async function openHost(place: HostPlace): Promise<OpenHost> {
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
