import { appService } from '../../apps/index.ts';
import type { Change } from '../../engine/change.ts';
import { showChange, showCount, showDifference } from '../../engine/show-change.ts';
import { lookAtGuest, planGuestDeploy } from '../../shared/app/guest.ts';
import type { PreparedApp } from '../../shared/app/target.ts';
import { planStages } from '../../shared/stages.ts';
import type { AppPart } from './app-part.ts';
import { plannedProvision } from './app-provision.ts';

/* `--dry-run`: what each step would do, as far as it is known without changing anything. */

export async function foreseeProvision(part: AppPart, target: PreparedApp): Promise<string> {
  const { changes } = await plannedProvision(part, target);
  return foreseen(`${target.project}: provision`, changes).join('\n');
}

export async function foreseeConfigure({ sessions }: AppPart, target: PreparedApp): Promise<string> {
  const { project, desired } = target;
  const session = await sessions.reachedIfThere(target);
  if (session === undefined) return `${project}: configure: known after provision`;
  const stages = planStages(appService(desired.settings), desired, await lookAtGuest(session.looking()));
  return stages
    .flatMap((stage) => {
      const name = `${project}: configure: ${stage.stage}`;
      return 'knownAfter' in stage ? [`${name}: known after ${stage.knownAfter}`] : foreseen(name, stage.changes);
    })
    .join('\n');
}

export async function foreseeDeploy({ options, sessions }: AppPart, target: PreparedApp): Promise<string> {
  const name = `${target.project}: deploy`;
  const session = await sessions.reachedIfThere(target);
  if (session === undefined) return `${name}: known after provision`;
  const { changes, because } = await planGuestDeploy(session.looking(), options.commit);
  return foreseen(name, changes, `: ${because}`).join('\n');
}

/** A line that counts the changes, and below it each of them. */
function foreseen(name: string, changes: readonly Change[], because = ''): string[] {
  const details = changes.flatMap((change) => [`  ${showChange(change)}`, ...showDifference(change).map((line) => `    ${line}`)]);
  return [`${name}: ${showCount(changes)}${because}`, ...details];
}
