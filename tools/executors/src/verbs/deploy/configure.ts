import type { Change } from '../../engine/change.ts';
import { HostError, type MooringError } from '../../engine/errors.ts';
import type { Health } from '../../engine/service.ts';
import { showChange } from '../../engine/show-change.ts';
import { hostFromTransport, type OpenHost } from '../../engine/transport.ts';
import { applyChanges } from '../../shared/apply.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { converge } from '../../shared/converge.ts';
import { askHealth, type InstanceLook, lookAgain, placeOf } from '../../shared/instance-look.ts';
import { leavingWarnings, refuseLeaving } from '../../shared/leave-behind.ts';
import type { Invocation } from '../../shared/run.ts';
import { inStep } from '../../shared/stages.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { unitRuns, verified, whyBroken } from '../../shared/verified.ts';
import { takeBack } from './take-back.ts';

/** What configuring one container came to. */
export type Configured = { readonly changes: readonly Change[]; readonly health: Health };

/**
 * Brings one container's service to its settings, stage by stage, and verifies it. A stage is applied and looked at
 * again until its plan is empty; what is empty from the start is not touched. Where that fails, or leaves a service that worked before
 * without work, what was changed is taken back; see {@link takeBack}.
 *
 * @param look the container as it is now
 * @param before.firstChange awaited once, before anything is changed: makes sure that there is a restore point
 * @param before.deployed whether a deploy of the container has completed before
 * @throws MooringError with host, instance and stage
 */
export async function configureContainer(
  run: Invocation,
  host: OpenHost,
  target: PreparedContainer,
  look: InstanceLook,
  before: { firstChange(): Promise<void>; readonly deployed: boolean },
): Promise<Configured> {
  const touched: Change[] = [];
  let brokenBefore: MooringError | undefined;
  try {
    return await convergeAndVerify(run, host, target, look, {
      firstChange: async () => {
        await before.firstChange();
        brokenBefore = await whyBroken(look, async () => before.deployed && (await unitRuns(host, target)));
      },
      touched: (change) => touched.push(change),
    });
  } catch (cause) {
    if (touched.length === 0 || cause instanceof HostError || run.signal.aborted) throw cause;
    const at = { run, host, target, networks: look.desired.context.clientNetworks };
    throw await takeBack(at, { touched, cause, brokenBefore, deployed: before.deployed });
  }
}

async function convergeAndVerify(
  run: Invocation,
  host: OpenHost,
  target: PreparedContainer,
  look: InstanceLook,
  on: { firstChange(): Promise<void>; touched(change: Change): void },
): Promise<Configured> {
  const { changes, look: now } = await converge(target.service, look, {
    name: target.project,
    page: 'services',
    fault: 'the service definition',
    before: async (planned, isFirst) => {
      refuseLeaving(target.project, planned, run.leaveBehind);
      if (isFirst) await on.firstChange();
    },
    apply: (stage, planned) => applyStage(run, host, target, stage, planned, on.touched),
    lookAgain: ({ desired }) => lookAgain(host, target, desired.context.clientNetworks),
  });
  return { changes, health: changes.length === 0 ? await verified(now) : await settled(host, target, now) };
}

/** How long a service that has just been changed may need until it works, in milliseconds. */
const SETTLE_MS = 5000;

/** What both probes say of a service that has just been changed: one that does not work yet is asked again. @throws the last reason */
async function settled(host: OpenHost, target: PreparedContainer, look: InstanceLook): Promise<Health> {
  const end = performance.now() + SETTLE_MS;
  for (let now = look; ; now = await askHealth(host, target, look.desired.context.clientNetworks)) {
    try {
      return await verified(now);
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

async function applyStage(
  run: Invocation,
  host: OpenHost,
  target: PreparedContainer,
  stage: string,
  changes: readonly Change[],
  touched: (change: Change) => void,
): Promise<void> {
  try {
    await applyChanges(changes, {
      host: hostFromTransport(INSTANCES.transportInside(host.transport, placeOf(target))),
      obtain: (artifact) => run.obtain(target, artifact),
      signal: run.signal,
      begin: (change) => {
        run.progress(`${target.project}: ${stage}: ${showChange(change)}`);
        const left = leavingWarnings(target.project, change, run.leaveBehind);
        for (const warning of [...(change.warnings ?? []), ...left]) run.progress(`${target.project}: ${stage}: WARNING: ${warning}`);
      },
      touched,
    });
  } catch (error) {
    throw inStep(error, stage).with({ page: 'services' });
  }
}
