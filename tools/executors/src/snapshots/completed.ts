import { MooringError } from '../engine/errors.ts';
import { type DeployEntry, type HostHistory, lastCompleted } from './history.ts';
import { shortRelease } from './name.ts';

/**
 * The release that the state of an environment is of: what has changed since it is not deployed yet. In doubt there is none,
 * so that a caller who deploys only what changed since deploys everything instead.
 *
 * @param environment its name, for messages
 * @returns 40 hex digits
 * @throws MooringError when no deploy has completed, a roll-back or a broken line came after it, or hosts differ
 */
export function completedRelease(environment: string, hosts: readonly HostHistory[]): string {
  const next = `nx run-many -t configure -c ${environment}   (all of it: after that there is one)`;
  const releases = hosts.map(({ host, history }) => {
    const because = whyNot(history);
    if (because !== undefined) throw new MooringError(`no completed release of ${environment}: ${because}`, { host, next });
    return { host, release: lastCompleted(history)?.release ?? '' };
  });
  if (new Set(releases.map(({ release }) => release)).size > 1) {
    const each = releases.map(({ host, release }) => `${host} ${shortRelease(release)}`).join(', ');
    throw new MooringError(`no completed release of ${environment}: its hosts are at different ones: ${each}`, { next });
  }
  return releases[0]?.release ?? '';
}

/** Why nothing can be said to be the release of a host's state; nothing when it can. */
function whyNot(history: readonly DeployEntry[]): string | undefined {
  const last = lastCompleted(history);
  if (last === undefined) {
    return history.some(({ result }) => result === 'rolled-back')
      ? 'a roll-back was the last that ended, and its state is of no release'
      : 'the audit log has no deploy that has completed';
  }
  if (last.without !== undefined) return `the deploy of ${shortRelease(last.release)} left out ${last.without.join(', ')}`;
  return history.slice(history.lastIndexOf(last)).some(({ result }) => result === 'broken')
    ? `a line of the audit log after ${shortRelease(last.release)} was cut off, and may have been a roll-back`
    : undefined;
}
