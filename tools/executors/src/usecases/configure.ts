import type { Change } from '../engine/change.ts';
import { MooringError } from '../engine/errors.ts';
import type { Health } from '../engine/service.ts';
import { guestTransport } from '../hosts/guest.ts';
import { hostFromTransport } from '../hosts/host.ts';
import type { OpenHost } from '../hosts/index.ts';
import { showChange } from '../report/change.ts';
import { applyChanges } from './apply.ts';
import type { Run, Target } from './run.ts';
import { inStep, parseProbe, planStage } from './stages.ts';
import { type GuestLook, lookAgain, placeOf } from './survey.ts';

/** What configuring one container came to. */
export type Configured = { readonly changes: readonly Change[]; readonly health: Health };

/**
 * Brings one container's service to its settings, stage by stage, and verifies it. A stage is applied and looked at
 * again until its plan is empty; what is empty from the start is not touched.
 *
 * @param look the container as it is now
 * @param beforeFirstChange awaited once, before anything is changed: makes sure that there is a restore point
 * @throws MooringError with host, instance and stage
 */
export async function configureContainer(
  run: Run,
  host: OpenHost,
  target: Target,
  look: GuestLook,
  beforeFirstChange: () => Promise<void>,
): Promise<Configured> {
  const done: Change[] = [];
  let now = look;
  for (const [index, stage] of target.service.stages.entries()) {
    const changes = planStage(target.service, index, now.desired, now.answers);
    if (changes.length === 0) continue;
    await beforeFirstChange();
    await applyStage(run, host, target, stage.name, changes);
    done.push(...changes);
    now = await lookAgain(host, target, now.desired.context.clientNetworks);
    refuseRest(target, stage.name, planStage(target.service, index, now.desired, now.answers));
  }
  return { changes: done, health: await verified(target, now) };
}

/** What both probes say of a container that was looked at. @throws MooringError when one of them fails */
export async function verified(target: Target, look: GuestLook): Promise<Health> {
  const health = parseProbe(target.service, look.desired, look.answers);
  const outside = await look.outside;
  if (outside instanceof MooringError) throw outside;
  return health;
}

async function applyStage(run: Run, host: OpenHost, target: Target, stage: string, changes: readonly Change[]): Promise<void> {
  try {
    await applyChanges(changes, {
      host: hostFromTransport(guestTransport(host.transport, placeOf(target))),
      obtain: (artifact) => run.obtain(target, artifact),
      signal: run.signal,
      begin: (change) => run.progress(`${target.project}: ${stage}: ${showChange(change)}`),
    });
  } catch (error) {
    throw inStep(error, stage).with({ page: 'services' });
  }
}

function refuseRest(target: Target, stage: string, rest: readonly Change[]): void {
  if (rest.length === 0) return;
  throw new MooringError(
    `${target.project} did not converge: after ${stage} was applied, this would still be changed:\n${rest.map((change) => `  ${showChange(change)}`).join('\n')}`,
    {
      step: stage,
      page: 'services',
      next: 'something else may be changing it, or this is a fault of the service definition',
    },
  );
}
