import type { Duplex } from 'node:stream';
import { bundle, unbundle } from './bundle.ts';
import { type Command, type CommandResult, type FileSpec, type Host, script } from './command.ts';
import { mustSucceed } from './errors.ts';

/** The one thing a kind of host must know: how to start a process there. Each call is one round trip. */
export interface Transport {
  /** As messages name it. */
  readonly name: string;
  /** Runs one command. @throws HostError when it could not be started or its answer is not whole */
  exec(command: Command): Promise<CommandResult>;
  /** Files travel packed by gzip: they go over a network. Unpacked where they arrive, in the instance. */
  readonly packs?: true;
  /** Runs one command whose standard input is a file of this machine, packed if the transport does so. @throws HostError as `exec` */
  execFile(command: Command, source: string): Promise<CommandResult>;
}

/** A host that can be asked until it is closed. */
export type OpenHost = Host & {
  /** For what stands on it: instances, nested bundles. Its calls count as round trips. */
  readonly transport: Transport;
  /**
   * The same host, but never behind its other commands: over SSH only so many run at once. For what must not wait: the renewal of a lease.
   */
  readonly spare: Host;
  /** Opens a TCP connection from the host. @throws HostError */
  connect(address: string, port: number): Promise<Duplex>;
  /** Ends the connection; commands that still run lose theirs. */
  close(): Promise<void>;
  /** How often the host was asked: each `run` and `putFile`, also those of its instances. */
  readonly roundTrips: number;
};

/** Which host, and how it is reached. */
export type HostPlace = {
  /** `local` or an SSH alias. */
  readonly host: string;
  /** Absolute path of an SSH configuration file in place of the user's. */
  readonly sshConfig?: string | undefined;
  /** Everything runs as root by sudo, which must not ask for a password. */
  readonly sudo?: boolean;
};

/** A {@link Host} over a transport. */
export function hostFromTransport(transport: Transport): Host {
  return {
    name: transport.name,
    async run(batch, order = 'parallel') {
      if (batch.length === 0) return [];
      return unbundle(await transport.exec(bundle(batch, order)), batch, transport.name);
    },
    async putFile(file) {
      const result = await transport.execFile(receiveFile(file, transport.packs === true), file.source);
      mustSucceed(result, `could not put ${file.path} in place`, { host: transport.name });
    },
  };
}

function receiveFile(file: FileSpec, packed: boolean): Command {
  return script(
    'write',
    `umask 077; mkdir -p "$(dirname "$1")"; trap 'rm -f "$1.mooring-new"' EXIT; $5 > "$1.mooring-new"
sum=$(sha256sum < "$1.mooring-new"); sum=\${sum%% *}
if [ "$sum" != "$4" ]; then echo "sha256 of what arrived is $sum, expected $4" >&2; exit 65; fi
chown "$3" "$1.mooring-new"; chmod "$2" "$1.mooring-new"; mv -f "$1.mooring-new" "$1"`,
    [file.path, file.mode, file.owner, file.sha256, packed ? 'gzip -dc' : 'cat'],
  );
}
