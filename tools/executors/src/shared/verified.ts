import { type CommandResult, read } from '../engine/command.ts';
import { MooringError, mustSucceed, UnhealthyError } from '../engine/errors.ts';
import type { Health } from '../engine/service.ts';
import { hostFromTransport, type OpenHost } from '../engine/transport.ts';
import { INSTANCES } from './backends.ts';
import { type InstanceLook, placeOf } from './instance-look.ts';
import { parseProbe } from './stages.ts';
import type { PreparedContainer } from './target.ts';

/**
 * What both probes say of a container that was looked at: that the application can read and write, and what has to be seen to all the same.
 *
 * @throws MooringError when one of them fails
 */
export async function verified(look: InstanceLook): Promise<Health> {
  const inside = parseProbe(look.answers);
  const outside = await look.outside;
  if (outside instanceof MooringError) throw outside;
  const degraded = [...new Set([...(inside.degraded ?? []), ...(outside.degraded ?? [])])];
  return degraded.length === 0 ? inside : { ...inside, degraded };
}

/**
 * Whether a container works that was looked at with settings that it may not have yet: on another port, or with another password, nobody gets an
 * answer. Then a unit that runs, of a container that was deployed before, is taken for one that works.
 *
 * @param unitRuns asked only where the probes do not tell
 * @returns why it does not work; nothing where it does
 */
export async function whyBroken(look: InstanceLook, unitRuns: () => Promise<boolean>): Promise<MooringError | undefined> {
  try {
    await verified(look);
    return undefined;
  } catch (error) {
    if (!(error instanceof MooringError)) throw error;
    return error instanceof UnhealthyError || !(await unitRuns()) ? error : undefined;
  }
}

/** Whether a unit of a service runs in its container; the name may be a pattern (`postgresql@*`). */
export async function unitRuns(host: OpenHost, target: PreparedContainer): Promise<boolean> {
  const command = read([
    'systemctl',
    'list-units',
    '--state=active',
    '--plain',
    '--no-legend',
    '--no-pager',
    '--',
    unitName(target.service.unit),
  ]);
  const [result] = await hostFromTransport(INSTANCES.transportInside(host.transport, placeOf(target))).run([command]);
  return mustSucceed(result as CommandResult, `systemd did not report whether ${target.service.unit} runs`).stdout.trim() !== '';
}

/** `systemctl list-units` takes patterns and full names only. */
const unitName = (unit: string) => (/\.[a-z]+$/.test(unit) ? unit : `${unit}.service`);

/** How a health reads behind a service's name and version: `is healthy (AUTH and PING, from inside and over 10.77.0.211)`. */
export function showHealth({ detail, degraded }: Health, address: string): string {
  const asked = `${detail}, from inside and over ${address}`;
  return degraded === undefined ? `is healthy (${asked})` : `is degraded: ${degraded.join('; ')} (${asked})`;
}
