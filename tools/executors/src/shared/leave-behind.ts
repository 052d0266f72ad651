import type { Change, Left } from '../engine/change.ts';
import { InputError, SafetyError } from '../engine/errors.ts';
import type { Desired, Service } from '../engine/service.ts';
import { type InstanceAnswers, planStage } from './stages.ts';

/** What `--leave-behind` has to say of a thing: `minio:bucket:veza-old`. */
function leftName(project: string, { kind, name }: Left): string {
  return `${project}:${kind}:${name}`;
}

/** What a change leaves behind, a sentence each, for its warnings. @param allowed what `--leave-behind` names */
export function leavingWarnings(project: string, { leaves = [] }: Change, allowed: readonly string[]): string[] {
  return leaves.map((left) => {
    const name = leftName(project, left);
    return `${sentence(left)}${allowed.includes(name) ? '' : `; configure does it only with --leave-behind=${name}`}`;
  });
}

/**
 * The changes of all stages that leave something behind, as far as the answers tell. A stage before which another one has to be applied
 * is asked too, and says nothing where it cannot: what is refused should be refused before anything is touched. Pure.
 */
export function leavingChanges<S>(service: Service<S>, desired: Desired<S>, answers: InstanceAnswers): Change[] {
  return service.stages.flatMap((_, index) => leavingIn(service, index, desired, answers));
}

/** Those of one stage; see {@link leavingChanges}. */
export function leavingIn<S>(service: Service<S>, index: number, desired: Desired<S>, answers: InstanceAnswers): Change[] {
  try {
    return planStage(service, index, desired, answers).filter(({ leaves = [] }) => leaves.length > 0);
  } catch {
    return [];
  }
}

/** Refuses changes after which the application does not reach what it has. @throws SafetyError naming what is not allowed */
export function refuseLeaving(project: string, changes: readonly Change[], allowed: readonly string[]): void {
  const refused = changes.flatMap(({ leaves = [] }) => leaves).filter((left) => !allowed.includes(leftName(project, left)));
  if (refused.length === 0) return;
  const flag = `--leave-behind=${[...allowed, ...refused.map((left) => leftName(project, left))].join(',')}`;
  throw new SafetyError(`${project}: ${refused.map(sentence).join('; ')}`, {
    page: 'services',
    next: `give container.json the former name again; or, if the application is to go on without it: ${flag}`,
  });
}

/** @throws InputError for a container that the environment does not have */
export function refuseUnknownLeft(named: readonly string[], environment: string, projects: readonly string[]): void {
  const unknown = named.filter((name) => !projects.includes(name.slice(0, name.indexOf(':'))));
  if (unknown.length === 0) return;
  throw new InputError(`--leave-behind=${unknown.join(',')}: ${environment} has no such container`, {
    next: `its containers are ${projects.join(', ')}; plan shows what to type`,
  });
}

function sentence({ kind, name, loss }: Left): string {
  return `${kind} ${name} would be left behind: ${loss}`;
}
