import type { Change } from '../engine/change.ts';
import { MooringError } from '../engine/errors.ts';
import { attempt } from './attempt.ts';
import { type InstanceLook, isLook } from './instance-look.ts';
import { leavingIn, leavingWarnings } from './leave-behind.ts';
import { type ProvisionFlags, planProvision } from './provision.ts';
import { planStages, type StagePlan } from './stages.ts';
import type { Survey } from './survey.ts';
import type { PreparedContainer } from './target.ts';

/** What configure would do to one container. Plain data; secrets are hidden in it. */
export type ContainerPlan = {
  readonly container: string;
  readonly instance: string;
  readonly host: string;
  readonly provision: readonly Change[];
  readonly stages: readonly StagePlan[];
};

/** A container that has no plan, and why. */
export type Unplanned = { readonly container: string; readonly error: MooringError };

/** The plan of an environment, or of some of its containers. */
export type Plan = {
  readonly environment: string;
  readonly release: string;
  /** A sentence on the restore point that the deploy would have. */
  readonly restorePoint: string;
  readonly containers: readonly ContainerPlan[];
  /** Those that have no plan: a deploy of them is refused. */
  readonly refused: readonly Unplanned[];
};

/** How many changes a plan holds, as far as it is known. */
export function countChanges(containers: readonly ContainerPlan[]): number {
  return containers.flatMap(changesOf).length;
}

type Section = { name: string; changes: readonly Change[]; knownAfter?: string; warnings?: readonly string[] };

/** The stages of a plan with what is known of them, provision first. */
export function sections(container: ContainerPlan): Section[] {
  return [
    { name: 'provision', changes: container.provision },
    ...container.stages.map((stage) => ({
      name: stage.stage,
      changes: 'changes' in stage ? stage.changes : [],
      ...('knownAfter' in stage ? { knownAfter: stage.knownAfter, warnings: stage.warnings ?? [] } : {}),
    })),
  ];
}

/** All changes of one container that are known. */
export function changesOf(container: ContainerPlan): Change[] {
  return sections(container).flatMap(({ changes }) => [...changes]);
}

/** Plans each; that one is refused does not hide the plans of the others. */
export async function planEach<T extends { readonly project: string }, P>(
  targets: readonly T[],
  plan: (target: T) => P | Promise<P>,
): Promise<{ planned: P[]; refused: Unplanned[] }> {
  const results = await Promise.all(targets.map(async (target) => ({ target, ...(await attempt(() => plan(target))) })));
  return {
    planned: results.flatMap((one) => ('value' in one ? [one.value] : [])),
    refused: results.flatMap((one) => ('error' in one ? [{ container: one.target.project, error: one.error }] : [])),
  };
}

/** How a plan ends: with those that are refused failed, or with all of them. */
export function planEnd(refused: readonly Unplanned[], all: boolean): { success: boolean; failed?: string[] } {
  return all ? { success: false } : { success: refused.length === 0, failed: refused.map(({ container }) => container) };
}

/** Plans one container from what was seen of it. Pure; the same functions that configure uses. @throws MooringError */
export function planContainer(
  target: PreparedContainer,
  survey: Survey,
  flags: ProvisionFlags,
  leaveBehind: readonly string[] = [],
): ContainerPlan {
  const { project: container, instance, host } = target;
  const provision = planProvision(target, survey, flags);
  return { container, instance, host, provision, stages: stagesOf(target, survey, provision, leaveBehind) };
}

/** Whether anything would be changed. */
export function hasChanges(plan: ContainerPlan): boolean {
  return plan.provision.length > 0 || hasChangesIn(plan.stages);
}

/** Whether any stage's plan has a change. */
export function hasChangesIn(stages: readonly StagePlan[]): boolean {
  return stages.some((stage) => 'changes' in stage && stage.changes.length > 0);
}

function stagesOf(target: PreparedContainer, survey: Survey, provision: readonly Change[], leaveBehind: readonly string[]): StagePlan[] {
  const look = survey.instances.get(target.instance);
  if (look instanceof MooringError) throw look;
  if (isLook(look)) {
    try {
      return planStages(target.service, look.desired, look.answers).map((stage, i) => warned(stage, i, target, look, leaveBehind));
    } catch (error) {
      throw error instanceof MooringError ? error.with({ host: target.host, instance: target.instance, page: 'services' }) : error;
    }
  }
  if (provision.length === 0)
    throw new MooringError(`${target.instance} runs but was not asked`, { host: target.host, instance: target.instance });
  return target.service.stages.map(({ name }) => ({ stage: name, knownAfter: 'provision' }));
}

/** A stage's plan with what it leaves behind; also of one that is known later only, as far as that can be told. */
function warned(
  stage: StagePlan,
  index: number,
  { project, service }: PreparedContainer,
  look: InstanceLook,
  leaveBehind: readonly string[],
): StagePlan {
  const left = (change: Change) => leavingWarnings(project, change, leaveBehind);
  if ('changes' in stage) {
    const changes = stage.changes.map((change) =>
      change.leaves === undefined ? change : { ...change, warnings: [...(change.warnings ?? []), ...left(change)] },
    );
    return { ...stage, changes };
  }
  const warnings = leavingIn(service, index, look.desired, look.answers).flatMap(left);
  return warnings.length === 0 ? stage : { ...stage, warnings };
}
