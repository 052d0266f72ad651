import { InputError } from '../../engine/errors.ts';
import { ownRunId } from '../../engine/run-id.ts';
import { planGuestRollback, rollBackGuest } from '../../shared/app/guest.ts';
import type { AppInvocation } from '../../shared/app/run.ts';
import type { PreparedApp } from '../../shared/app/target.ts';
import { type AppOutcome, eachApp, enterRunning, withAppRun } from '../../shared/app/verb-run.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import type { RollbackOptions } from './options.ts';

type GuestRollback = Awaited<ReturnType<typeof planGuestRollback>>;
/** An application that went back, or would. */
export type AppRolledBack = { readonly project: string; readonly value: GuestRollback };
/** What became of each application. */
export type AppsRolledBack = { readonly dryRun: boolean; readonly apps: readonly AppOutcome<GuestRollback>[] };

/** Takes each application back to the release that was live before, or to the one of `--to`. The database is left as it is. */
export async function rollbackApps(request: VerbRequest<RollbackOptions>): Promise<Answer<AppsRolledBack>> {
  refuseFlags(request.options);
  // An id of its own: tasks of one command share theirs, and would join each other's lease.
  const runId = ownRunId(request.world);
  return withAppRun(
    request,
    async (run) => {
      const outcome = await eachApp(run, 'rollback', (target) => rollBackOne(run, target, request.options));
      return { ...outcome, data: { dryRun: request.options.dryRun, apps: outcome.data } };
    },
    runId,
  );
}

async function rollBackOne(run: AppInvocation, target: PreparedApp, options: RollbackOptions): Promise<GuestRollback> {
  const session = await enterRunning(run, target);
  if (options.dryRun) return planGuestRollback(session.looking(), options.to);
  try {
    const plan = await rollBackGuest(await session.leased(options, '0'.repeat(40)), options.to);
    session.didRelease('rollback', plan);
    return plan;
  } catch (error) {
    session.note({ what: 'rollback', result: 'failed', detail: error instanceof Error ? error.message : String(error) });
    throw error;
  } finally {
    await session.end();
  }
}

/** What only restore points of containers have. */
function refuseFlags({ before, undo, again, inPlace, discardNewer, release, without }: RollbackOptions): void {
  const named = { 'discard-newer': discardNewer.length > 0, without: without.length > 0 };
  const given = Object.entries({ before, undo, again, 'in-place': inPlace, ...named, release }).find(([, value]) => value);
  if (given === undefined) return;
  throw new InputError(`--${given[0]} applies to restore points; an application rolls back to a release`, {
    next: 'leave it out for the release that was live before, or name one: --to=<release or commit>',
  });
}
