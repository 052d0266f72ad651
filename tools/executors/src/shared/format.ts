import { SafetyError } from '../engine/errors.ts';
import type { Instance } from '../engine/instance.ts';
import { INSTANCES } from './backends.ts';
import { showNewer, upgradeTo } from './newer.ts';
import type { Invocation } from './run.ts';

/** What a host is looked at for. */
export type Purpose = 'change' | 'read';

/**
 * Looks for containers of the environment that a newer tool has deployed, also for those that the workspace does not name: what it has written
 * on their host may not be what this one takes it for. A look that only reads is told.
 *
 * @throws SafetyError before a change
 */
export function heedFormat(
  run: Pick<Invocation, 'environment' | 'targets' | 'progress'>,
  host: string,
  instances: readonly Instance[],
  purpose: Purpose,
): void {
  const { environment, targets } = run;
  const named = targets.filter((target) => target.host === host).map(({ instance }) => instance);
  // One that is to be taken over is not ours yet, and its marks tell all the same.
  const concerned = instances.filter((one) => named.includes(one.name) || INSTANCES.ownership(one, environment.name).ours);
  const newer = INSTANCES.newerOf(concerned);
  const [first] = newer;
  if (first === undefined) return;
  if (purpose === 'read') {
    run.progress(`WARNING: ${host}: ${showNewer(newer)}: what is shown may be wrong; ${upgradeTo(newer)}`);
    return;
  }
  throw new SafetyError(`cannot change ${environment.name} on host ${host}: ${showNewer(newer)}`, {
    host,
    instance: first.instance,
    next: `${upgradeTo(newer)}; then run the same command again`,
    page: 'containers',
  });
}
