import { MooringError } from '../../engine/errors.ts';
import type { VerbRequest, VerbResult } from '../../executors/shared/verb.ts';
import type { VerifyOptions } from '../../executors/verify/options.ts';
import { connectLocally } from '../../hosts/local.ts';
import { verifyGuest } from './guest.ts';
import { eachApp, enter, withAppRun } from './verb-run.ts';

/** Asks each application by its health path, inside of its guest and over its address; changes nothing. */
export function verifyApps(request: VerbRequest<VerifyOptions>): Promise<VerbResult> {
  return withAppRun(request, (run) =>
    eachApp(run, 'verify', async (target) => {
      const { guest, session } = await enter(run, target);
      if (session === undefined) {
        throw new MooringError(`${target.guest.name} ${guest === undefined ? 'is absent' : 'does not run'}: there is nothing to ask`, {
          next: `nx run ${target.project}:plan -c ${run.environment.name}`,
        });
      }
      const health = await verifyGuest(session.looking(), connectLocally, target.address);
      return `${target.project}: ${health.version} application is healthy (${health.detail}, from inside and over ${target.address})`;
    }),
  );
}
