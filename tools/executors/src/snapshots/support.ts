import { SafetyError } from '../engine/errors.ts';
import { memberName } from './set.ts';

/**
 * The sentence to say where no restore point can be made. Outside `local` the environment must allow it by name.
 *
 * @throws SafetyError when it does not
 */
export function acceptNoRestorePoint(
  environment: { readonly name: string; readonly allowNoRestorePoint: boolean },
  without: readonly { readonly instance: string; readonly volume?: string; readonly because: string }[],
): string | undefined {
  if (without.length === 0) return undefined;
  const reasons = [...new Set(without.map(({ because }) => because))].join('; ');
  const sentence = `NO RESTORE POINT for ${without.map(memberName).join(', ')}: ${reasons}`;
  if (environment.name === 'local' || environment.allowNoRestorePoint) return sentence;
  throw new SafetyError(`${sentence}. What a deploy breaks there could not be taken back.`, {
    next: `move it to a pool on zfs or btrfs, or accept it: "allowNoRestorePoint": true in infra/environments/${environment.name}.json`,
  });
}
