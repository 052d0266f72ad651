import { type Command, script, write } from '../../engine/command.ts';
import type { Nic } from '../../engine/instance-platform.ts';
import { shellProgram } from '../../shell/program.ts';
import { incus } from './command.ts';

/** An instance in its Incus project. */
type Place = { readonly instance: string; readonly project: string };

/**
 * Waits for systemd (running or degraded) and for an address on one of the NICs: `incus exec` works before the network does, and a
 * bridge of the instance's own (`docker0`) has its address before the NIC has one. The NIC is known by its MAC address, whatever its name
 * is; where no interface has it any more, any address will do.
 */
export function waitUntilUp(place: Place, seconds: number, nics: readonly Nic[]): Command {
  return waitInside(place, seconds, shellProgram(import.meta.url, 'is-up.sh'), nics);
}

/**
 * Asks in an instance again and again, for so many seconds, until it is as wanted. All of it is one process of the host: on a slow
 * one, `incus exec` and `incus list` once a second leave little to what is waited for (four containers came up in 169 s instead of
 * 213 s in an emulated machine).
 *
 * @param question shell commands that exit with 0 when it is as wanted, and else put into `said` what was found
 * @param nics whose MAC addresses, with blanks between, are `$2` for the question
 */
export function waitInside({ instance, project }: Place, seconds: number, question: string, nics: readonly Nic[] = []): Command {
  return script('read', shellProgram(import.meta.url, 'wait-inside.sh'), [
    instance,
    project,
    String(seconds),
    `end=$(($(date +%s) + $1))
while :; do
${question}
[ "$(date +%s)" -lt "$end" ] || { echo "$said"; exit 1; }
sleep 0.2
done`,
    ...nics.map(({ name, device }) => `${name}=${device.hwaddr?.toLowerCase() ?? ''}`),
  ]);
}

/** Starts an instance and waits until it is up. */
export function startInstance(place: Place, seconds: number, nics: readonly Nic[]): Command[] {
  return [write(incus('start', place.instance, '--project', place.project)), waitUntilUp(place, seconds, nics)];
}
