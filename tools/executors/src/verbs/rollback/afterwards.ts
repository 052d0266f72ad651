import type { Change } from '../../engine/change.ts';
import { MooringError } from '../../engine/errors.ts';
import type { Nic } from '../../engine/instance-platform.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { type InstanceLook, placeOf } from '../../shared/instance-look.ts';
import { hasChangesIn } from '../../shared/plan-container.ts';
import { planStages } from '../../shared/stages.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import type { ContainerRollback } from './plan.ts';

/** Whether a service's settings differ from those wanted: an older state has, for example, an older password. */
export function isDrifted(target: PreparedContainer, look: InstanceLook): boolean {
  try {
    return hasChangesIn(planStages(target.service, look.desired, look.answers));
  } catch (error) {
    if (error instanceof MooringError) return false;
    throw error;
  }
}

/** The NICs by which an instance is reached. */
export function nicsOf({ candidate: { target, instance } }: ContainerRollback): Nic[] {
  return INSTANCES.nicsOn(target.environment.network, instance.expanded_devices);
}

/** What Incus must be told once the datasets are exchanged. */
export function afterwards(plan: ContainerRollback): Change[] {
  const { target } = plan.candidate;
  const inIncus = plan.volumes.some(({ restores }) => restores);
  const keyed = plan.volumes.some(({ key }) => key !== undefined);
  const commands = [
    ...(keyed ? [INSTANCES.markRollback(placeOf(target), undefined)] : []),
    ...(inIncus ? [] : [INSTANCES.markRelease(placeOf(target), plan.release)]),
  ];
  return [
    ...(plan.volumes.some(({ forget }) => forget?.when === 'after') ? forgetting(plan) : []),
    {
      resource: `instance ${target.instance}`,
      action: 'update',
      impact: 'none',
      because: inIncus ? 'it is restored' : `its state is of ${plan.release ?? 'a release that is not known'}`,
      commands,
    },
  ];
}

/** Deletes Incus's records of what is not there any more. */
export function forgetting({ candidate: { target }, forget }: ContainerRollback): Change[] {
  return forget.map((name) => ({
    resource: `Incus snapshot ${target.instance}/${name}`,
    action: 'destroy',
    impact: 'none',
    because: 'it is not in the state gone back to; Incus would list it and restore nothing',
    commands: [INSTANCES.forgetSnapshot(placeOf(target), name)],
  }));
}
