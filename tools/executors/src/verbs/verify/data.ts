import { MooringError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { isLook } from '../../shared/instance-look.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { hostsOf } from '../../shared/run.ts';
import { ofContainer, surveyLiving, surveyOf, withLook } from '../../shared/verb-run.ts';
import { verified } from '../../shared/verified.ts';
import { type AllVerified, allVerified, type Verified, verifyEach } from './each.ts';
import type { VerifyOptions } from './options.ts';

/** Asks the services by their own protocols, from inside and over their addresses; changes nothing. */
export function verify(request: VerbRequest<VerifyOptions>): Promise<Answer<AllVerified>> {
  return withLook(request, async (run, { targets, faulty }) => {
    const { answers: surveys, dead } = await surveyLiving(run, hostsOf(targets), targets);
    const each = await verifyEach(targets, async (target) => {
      const unreached = dead.get(target.host);
      if (unreached !== undefined) return ofContainer(unreached, target);
      const look = surveyOf(surveys, target).instances.get(target.instance);
      if (look instanceof MooringError) return look;
      if (!isLook(look))
        return new MooringError(`${target.instance} is absent, not ours or not running: there is nothing to ask`, {
          host: target.host,
          instance: target.instance,
          step: 'verify',
          page: 'containers',
          next: nxRun('plan', { project: target.project, environment: run.environment.name }),
        });
      const health = await verified(look);
      return { instance: target.instance, what: `${target.service.name} ${health.version}`, address: look.address, health };
    });
    const mistaken = faulty.map(({ project, error }): Verified => ({ project, health: 'unknown', error }));
    return allVerified(run.environment.name, [...each, ...mistaken]);
  });
}
