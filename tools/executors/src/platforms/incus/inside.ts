import { bundle, unbundle } from '../../engine/bundle.ts';
import type { Command, CommandResult } from '../../engine/command.ts';
import { HostError, lastLines } from '../../engine/errors.ts';
import type { Transport } from '../../engine/transport.ts';
import { incus } from './command.ts';

/** Which instance, in which Incus project. */
export type GuestPlace = { readonly instance: string; readonly project: string };

/** The command, run inside an instance by its host's `incus exec`, as root. */
export function inGuest(place: GuestPlace, command: Command): Command {
  return { ...command, argv: incus('exec', place.instance, '--project', place.project, '-T', '--', ...command.argv) };
}

/** A batch for an instance as one command for its host; see {@link bundle}. */
export function guestBundle(place: GuestPlace, commands: readonly Command[], order?: 'parallel' | 'sequence'): Command {
  return inGuest(place, bundle(commands, order));
}

/** Takes the answer to {@link guestBundle} apart. @throws HostError when the instance could not be asked */
export function unbundleGuest(place: GuestPlace, result: CommandResult, commands: readonly Command[]): CommandResult[] {
  refuseNoGuest(place, result);
  return unbundle(result, commands, place.instance);
}

/** An instance as a transport over its host's transport. */
export function guestTransport(parent: Transport, place: GuestPlace): Transport {
  const checked = (result: CommandResult) => {
    refuseNoGuest(place, result);
    return result;
  };
  return {
    name: `${place.instance} on ${parent.name}`,
    ...(parent.packs && { packs: parent.packs }),
    exec: async (command) => checked(await parent.exec(inGuest(place, command))),
    execFile: async (command, source) => checked(await parent.execFile(inGuest(place, command), source)),
  };
}

/** `incus exec` says `Error: …` on stderr and answers 1 when there is no such instance, or it does not run. */
function refuseNoGuest(place: GuestPlace, result: CommandResult): void {
  if (result.code !== 0 && /^Error: /m.test(result.stderr)) {
    throw new HostError(`${place.instance} could not be asked`, {
      instance: place.instance,
      code: result.code,
      stderr: lastLines(result.stderr),
      next: `incus list --project ${place.project} ${place.instance}`,
    });
  }
}
