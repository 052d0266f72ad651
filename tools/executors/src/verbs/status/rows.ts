import { HostError, MooringError } from '../../engine/errors.ts';
import { findInstance, type Instance } from '../../engine/instance.ts';
import type { Health } from '../../engine/service.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { isLook, placeOf } from '../../shared/instance-look.ts';
import { hasChanges, planContainer } from '../../shared/plan-container.ts';
import { planProvision } from '../../shared/provision.ts';
import type { Invocation } from '../../shared/run.ts';
import type { Survey } from '../../shared/survey.ts';
import type { FaultyContainer, PreparedContainer } from '../../shared/target.ts';
import { verified } from '../../shared/verified.ts';
import { type HostSets, lackingElsewhere } from '../../snapshots/environment-set.ts';
import { memberName, restorePointsOf } from '../../snapshots/set.ts';

/** One row of the table of an environment. What is not known is reported as unknown, never as healthy. */
export type ContainerStatus = {
  readonly container: string;
  readonly instance: string;
  readonly host: string;
  /** Empty where its files do not tell. */
  readonly service: string;
  /** As Incus says, in lower case; `absent`; `not ours` with its reason in `detail`; `unreachable` or `unknown` where its host gave no answer, or its files have a mistake. */
  readonly state: string;
  readonly address: string | undefined;
  readonly version: string | undefined;
  readonly health: 'healthy' | 'degraded' | 'unhealthy' | 'unknown';
  /** Why it is degraded or unhealthy; none of a healthy one. */
  readonly healthReasons: readonly string[];
  /** The release whose deploy last completed here. */
  readonly release: string | undefined;
  /** Name of the newest restore point, and how many there are; or why there can be none. */
  readonly restorePoint: string | undefined;
  readonly restorePoints: number;
  /** What the newest one lacks on other hosts that were asked, `<volume>@<host>` each: then it is incomplete. Not there where it lacks nothing. */
  readonly missingElsewhere?: readonly string[];
  readonly drift: 'none' | 'drifted' | 'unknown';
  readonly detail: string | undefined;
};

const NO_FLAGS = { create: [], adopt: [], newHosts: [], startSeconds: 0 };

/** The row of a container whose host gave no answer. */
export function unseenStatus(target: PreparedContainer, error: MooringError): ContainerStatus {
  const state = error instanceof HostError ? 'unreachable' : 'unknown';
  return unknownStatus(target, target.service.name, { state, detail: `host ${target.host}: ${error.message}` });
}

/** The row of a container with a mistake in its files: it is not known what to ask there. */
export function faultyStatus(target: FaultyContainer): ContainerStatus {
  return unknownStatus(target, '', { state: 'unknown', detail: target.error.message });
}

function unknownStatus(
  target: Pick<PreparedContainer, 'project' | 'instance' | 'host'>,
  service: string,
  told: Pick<ContainerStatus, 'state' | 'detail'>,
): ContainerStatus {
  return {
    container: target.project,
    instance: target.instance,
    host: target.host,
    service,
    address: undefined,
    version: undefined,
    health: 'unknown',
    healthReasons: [],
    release: undefined,
    restorePoint: undefined,
    restorePoints: 0,
    drift: 'unknown',
    ...told,
  };
}

/**
 * What is known of one container. Never throws for what is wrong with the container itself: that is what it tells.
 *
 * @param all every host that was asked
 */
export async function statusOf(
  run: Pick<Invocation, 'environment' | 'world'>,
  target: PreparedContainer,
  seen: Survey,
  all: readonly HostSets[],
): Promise<ContainerStatus> {
  const instance = findInstance(seen.incus, placeOf(target));
  const points = restorePointsOf(seen.points.sets, target.instance);
  const [newest] = points;
  const flags = { ...NO_FLAGS, random: run.world.random };
  const without = seen.coverage.without.find((one) => memberName(one) === target.instance);
  const owner = instance && INSTANCES.ownership(instance, run.environment.name);
  const base = {
    container: target.project,
    instance: target.instance,
    host: target.host,
    service: target.service.name,
    state: stateOf(instance, owner?.ours),
    address: instance && INSTANCES.addressOf(instance, run.environment.network, INSTANCES.subnetsOf(seen.incus, run.environment.network)),
    release: instance && INSTANCES.marksOf(instance).release,
    restorePoint: without === undefined ? newest?.set.name : `none: ${without.because}`,
    restorePoints: points.length,
    ...(newest === undefined || without !== undefined ? {} : lackingElsewhere(newest.set, all)),
  };
  const unknown = { version: undefined, health: 'unknown', healthReasons: [] as string[], drift: 'unknown' } as const;
  if (owner?.ours === false) return { ...base, ...unknown, detail: owner.because };
  const look = seen.instances.get(target.instance);
  if (look instanceof MooringError) return { ...base, ...unknown, detail: look.message };
  if (!isLook(look)) {
    const creation = await settle(() => (instance === undefined ? planProvision(target, seen, flags) : []));
    return { ...base, ...unknown, detail: 'error' in creation ? creation.error : undefined };
  }
  const [health, drift] = await Promise.all([settle(() => verified(look)), settle(() => hasChanges(planContainer(target, seen, flags)))]);
  return {
    ...base,
    version: 'value' in health ? health.value.version : undefined,
    ...healthOf(health),
    drift: 'value' in drift ? (drift.value ? 'drifted' : 'none') : 'unknown',
    detail: [...healthOf(health).healthReasons, ...('error' in drift ? [drift.error] : [])].join('; ') || undefined,
  };
}

function healthOf(health: { value: Health } | { error: string }): Pick<ContainerStatus, 'health' | 'healthReasons'> {
  if ('error' in health) return { health: 'unhealthy', healthReasons: [health.error] };
  const { degraded = [] } = health.value;
  return { health: degraded.length === 0 ? 'healthy' : 'degraded', healthReasons: degraded };
}

/** Whether `--fail-on` fails a run that finds these healths: what is worse, and what is unknown, fails it too. */
export function failsOn(limit: 'degraded' | 'unhealthy' | undefined, healths: readonly ContainerStatus['health'][]): boolean {
  if (limit === undefined) return false;
  return healths.some((health) => health !== 'healthy' && !(limit === 'unhealthy' && health === 'degraded'));
}

function stateOf(instance: Instance | undefined, ours: boolean | undefined): string {
  if (instance === undefined) return 'absent';
  return ours ? instance.status.toLowerCase() : 'not ours';
}

async function settle<T>(work: () => T | Promise<T>): Promise<{ value: T } | { error: string }> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
