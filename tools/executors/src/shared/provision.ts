import type { Change } from '../engine/change.ts';
import { findInstance } from '../engine/instance.ts';
import type { InstanceSpec, KnownElsewhere, ProvisionOptions } from '../engine/instance-platform.ts';
import { showChange } from '../engine/show-change.ts';
import { uuidOf } from '../engine/uuid.ts';
import { TOOL } from '../engine/version.ts';
import { applyChanges } from './apply.ts';
import { INSTANCES } from './backends.ts';
import { type CreateFlags, knownElsewhere } from './elsewhere.ts';
import type { Invocation } from './run.ts';
import { inStep } from './stages.ts';
import type { Survey } from './survey.ts';
import type { PreparedContainer } from './target.ts';
import type { Machine } from './world.ts';

/** The flags of provision. */
export type ProvisionFlags = CreateFlags & {
  /** Names of instances without our marks that are taken over. */
  readonly adopt: readonly string[];
  /** How long a container may take to start, in seconds. */
  readonly startSeconds: number;
  /** What the UUID of a new one is made of. */
  readonly random: Machine['random'];
};

/** What is looked at for it. */
type Seen = Pick<Survey, 'incus' | 'audit' | 'leftovers' | 'elsewhere'>;

/** What must be done so that the target's instance is there and runs. Pure but for `random`. @throws SafetyError */
export function planProvision(target: PreparedContainer, survey: Seen, flags: ProvisionFlags): Change[] {
  const options: ProvisionOptions = { ...flags, uuid: uuidOf(flags.random(16)) };
  const spec = specOf(target);
  try {
    return INSTANCES.planInstance(
      survey.incus,
      spec,
      findInstance(survey.incus, spec) === undefined ? known(target, survey, flags) : [],
      options,
    );
  } catch (error) {
    throw inStep(error, 'provision').with({ host: target.host, instance: target.instance, page: 'containers' });
  }
}

/** Applies what {@link planProvision} gave, on the instance's host. */
export async function applyProvision(
  run: Invocation,
  target: PreparedContainer,
  survey: Pick<Survey, 'host'>,
  changes: readonly Change[],
): Promise<void> {
  const host = survey.host;
  const waiting = setInterval(
    () => run.progress(`${target.project}: provision: waiting for ${target.instance}: systemd and an address`),
    5000,
  );
  try {
    await applyChanges(changes, {
      host,
      obtain: () => Promise.reject(new Error('an instance needs no artifact')),
      signal: run.signal,
      begin: (change) => run.progress(`${target.project}: provision: ${showChange(change)}`),
    });
  } catch (error) {
    throw inStep(error, 'provision').with({ host: target.host, instance: target.instance, page: 'containers' });
  } finally {
    clearInterval(waiting);
  }
}

function specOf(target: PreparedContainer): InstanceSpec {
  return {
    instance: target.instance,
    project: target.incus.project,
    profiles: target.incus.profiles,
    image: target.incus.image,
    limits: target.limits,
    devices: target.devices,
    network: target.environment.network,
    hostOnNetwork: target.environment.hostOnNetwork,
    environment: target.environment.name,
    container: target.project,
    service: target.service.name,
    tool: TOOL,
  };
}

/** Where an absent instance is still known: file systems with its data, the audit logs, the environment's other hosts. @throws SafetyError */
function known(target: PreparedContainer, survey: Seen, flags: ProvisionFlags): KnownElsewhere {
  const leftovers = (survey.leftovers.get(target.instance) ?? []).map((name) => `the file system ${name} holds its data`);
  return [...leftovers, ...knownElsewhere(target, survey, flags)];
}
