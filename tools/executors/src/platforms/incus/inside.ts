import { bundle, unbundle } from '../../engine/bundle.ts';
import type { Command, CommandResult } from '../../engine/command.ts';
import { HostError, lastLines } from '../../engine/errors.ts';
import type { Transport } from '../../engine/transport.ts';
import { incus } from './command.ts';

/** Which instance, in which Incus project. */
export type InstanceRef = { readonly instance: string; readonly project: string };

/** The command, run inside an instance by its host's `incus exec`, as root. */
export function inInstance(place: InstanceRef, command: Command): Command {
  return { ...command, argv: incus('exec', place.instance, '--project', place.project, '-T', '--', ...command.argv) };
}

/** A batch for an instance as one command for its host; see {@link bundle}. */
export function instanceBundle(place: InstanceRef, commands: readonly Command[], order?: 'parallel' | 'sequence'): Command {
  return inInstance(place, bundle(commands, order));
}

/** Takes the answer to {@link instanceBundle} apart. @throws HostError when the instance could not be asked */
export function unbundleInstance(place: InstanceRef, result: CommandResult, commands: readonly Command[]): CommandResult[] {
  refuseNoInstance(place, result);
  return unbundle(result, commands, place.instance);
}

/** An instance as a transport over its host's transport. */
export function instanceTransport(parent: Transport, place: InstanceRef): Transport {
  const checked = (result: CommandResult) => {
    refuseNoInstance(place, result);
    return result;
  };
  return {
    name: `${place.instance} on ${parent.name}`,
    ...(parent.packs && { packs: parent.packs }),
    exec: async (command) => checked(await parent.exec(inInstance(place, command))),
    execFile: async (command, source) => checked(await parent.execFile(inInstance(place, command), source)),
  };
}

/** `incus exec` says `Error: …` on stderr and answers 1 when there is no such instance, or it does not run. */
function refuseNoInstance(place: InstanceRef, result: CommandResult): void {
  if (result.code !== 0 && /^Error: /m.test(result.stderr)) {
    throw new HostError(`${place.instance} could not be asked`, {
      instance: place.instance,
      code: result.code,
      stderr: lastLines(result.stderr),
      next: `incus list --project ${place.project} ${place.instance}`,
    });
  }
}
