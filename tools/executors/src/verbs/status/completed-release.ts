import { readDecisive } from '../../audit/audit.ts';
import { InputError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import type { Answer } from '../../shared/request.ts';
import { hostsOf } from '../../shared/run.ts';
import { type AnyRequest, withRun } from '../../shared/verb-run.ts';
import { completedRelease } from '../../snapshots/completed.ts';
import { deployHistory } from '../../snapshots/history.ts';

/** 40 hex digits. */
export type CompletedRelease = { readonly completedRelease: string };

/**
 * The release that was completed last on the hosts of an environment, and not a word more: the base of `nx affected`. It asks
 * only for the audit log.
 *
 * @throws MooringError when there is none; see {@link completedRelease}
 */
export function readCompletedRelease(request: AnyRequest): Promise<Answer<CompletedRelease>> {
  return withRun(request, async (run, targets) => {
    const environment = run.environment.name;
    const { storage } = run.workspace;
    if (request.projects.some((project) => project !== storage.project))
      throw new InputError('--completed-release is asked of a whole environment, not of one container', {
        next: nxRun('status', { project: storage.project, environment }, '--completed-release'),
      });
    const fact = readDecisive(environment);
    const hosts = await Promise.all(
      hostsOf(targets).map(async (host) => {
        const results = await (await run.host(host)).run([fact.command]);
        return { host, history: deployHistory(results.flatMap((result) => fact.parse(result))) };
      }),
    );
    return { success: true, data: { completedRelease: completedRelease(environment, hosts) } };
  });
}
