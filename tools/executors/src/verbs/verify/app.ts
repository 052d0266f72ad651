import { MooringError } from '../../engine/errors.ts';
import { verifyGuest } from '../../shared/app/guest.ts';
import type { PreparedApp } from '../../shared/app/target.ts';
import { enter, withAppLook } from '../../shared/app/verb-run.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { inStep } from '../../shared/stages.ts';
import { type AllVerified, allVerified, verifyEach } from './each.ts';
import type { VerifyOptions } from './options.ts';

/** Asks each application by its health path, inside of its guest and over its address; changes nothing. */
export function verifyApps(request: VerbRequest<VerifyOptions>): Promise<Answer<AllVerified>> {
  return withAppLook(request, async (run) => {
    const told = (error: MooringError, target: PreparedApp) =>
      inStep(error, 'verify').with({ instance: target.guest.name, page: 'applications' });
    const verified = await verifyEach(run.targets, async (target) => {
      const { name } = target.guest;
      const entered = await enter(run, target).catch(asAnswer);
      if (entered instanceof MooringError) return told(entered, target);
      const { guest, session } = entered;
      if (session === undefined) {
        const next = `nx run ${target.project}:plan -c ${run.environment.name}`;
        return told(
          new MooringError(`${name} ${guest === undefined ? 'is absent' : 'does not run'}: there is nothing to ask`, { next }),
          target,
        );
      }
      const health = await verifyGuest(session.looking(), run.world.connect, target.address).catch((error) =>
        Promise.reject(told(asAnswer(error), target)),
      );
      return { instance: name, what: `${health.version} application`, address: target.address, health };
    });
    return allVerified(run.environment.name, verified);
  });
}

/** The error as something that is told; one of ours is not. */
function asAnswer(error: unknown): MooringError {
  if (error instanceof MooringError) return error;
  throw error;
}
