import type { Change } from '../../engine/change.ts';
import { showChange, showCount } from '../../engine/show-change.ts';
import { configureGuest, deployToGuest } from '../../shared/app/guest.ts';
import type { PreparedApp } from '../../shared/app/target.ts';
import type { AppPart } from './app-part.ts';
import { allowedConflict, plannedProvision } from './app-provision.ts';

/** Makes the guest what it is described as, and reaches it. */
export async function provision(part: AppPart, target: PreparedApp): Promise<string> {
  const { run, sessions, did } = part;
  const { project, guest, address } = target;
  await run.platform.wholeIfCreating(target);
  const plan = await plannedProvision(part, target);
  const conflict = allowedConflict(plan);
  for (const line of [...conflict, ...plan.changes.map((change) => `provision: ${showChange(change)}`)])
    run.progress(`${project}: ${line}`);
  const now = await plan.apply();
  did(plan.changes);
  if (!guest.start && now.state === 'stopped')
    return `${project}: provision: ${told(plan.changes, 'it is there, and is not to be started')}`;
  const session = await sessions.reached(target, now);
  session.did('provision', plan.changes, ...conflict);
  return `${project}: provision: ${told(plan.changes, `${guest.name} is there and runs`)}; SSH answers at ${address}`;
}

/** Brings what is inside the guest to the application's settings. */
export async function configure({ sessions, did }: AppPart, target: PreparedApp): Promise<string> {
  const session = await sessions.reached(target);
  const changes = await configureGuest(await sessions.leased(session));
  did(changes);
  session.did('configure', changes);
  return `${target.project}: configure: ${told(changes, 'everything is as the settings say')}`;
}

/** Deploys the release. */
export async function deploy({ options, sessions, did }: AppPart, target: PreparedApp): Promise<string> {
  const { project, desired } = target;
  const session = await sessions.reached(target);
  const plan = await deployToGuest(await sessions.leased(session), options.commit);
  did(plan.changes);
  session.didRelease('deploy', plan);
  const health = `${desired.settings.health.path} answers`;
  return `${project}: deploy: ${told(plan.changes, plan.because)}; release ${plan.release} is live, ${health}`;
}

function told(changes: readonly Change[], none: string): string {
  return changes.length === 0 ? `no changes: ${none}` : showCount(changes);
}
