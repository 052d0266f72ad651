import { countChanges, type Plan, planContainer, planEach, planEnd } from '../../shared/plan-container.ts';
import { currentRelease } from '../../shared/release.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { foreseeRestorePoint } from '../../shared/restore-point.ts';
import { hostsOf } from '../../shared/run.ts';
import { ofContainer, surveyLiving, surveyOf, withLook } from '../../shared/verb-run.ts';
import type { PlanOptions } from './options.ts';

/** Shows what configure would change; changes nothing. One container that is refused does not hide the plans of the others. */
export function plan(request: VerbRequest<PlanOptions>): Promise<Answer<Plan>> {
  return withLook(request, async (run, { targets, faulty }) => {
    const { release: flag, create, adopt, newHost, failOnChanges } = request.options;
    const named = (names: readonly string[]) => names.map((name) => run.targets.find(({ project }) => project === name)?.instance ?? name);
    const flags = { create: named(create), adopt: named(adopt), newHosts: newHost, startSeconds: 0, random: run.world.random };
    const [release, { answers: surveys, dead }] = await Promise.all([
      currentRelease(run, flag, true),
      surveyLiving(run, hostsOf(targets), targets),
    ]);
    const { planned, refused } = await planEach(targets, (target) => {
      const unreached = dead.get(target.host);
      if (unreached !== undefined) throw ofContainer(unreached, target);
      return planContainer(target, surveyOf(surveys, target), flags, run.leaveBehind);
    });
    const mistaken = faulty.map(({ project, error }) => ({ container: project, error }));
    const changes = countChanges(planned);
    const seen = [...surveys].map(([host, seen]) => ({ host, seen }));
    const asked = seen.map(({ host }) => host).join(', ');
    const points = await planEach(seen.length === 0 ? [] : [{ project: `restore point on ${asked}` }], () =>
      foreseeRestorePoint(run, seen, release, changes > 0),
    );
    const data: Plan = {
      environment: run.environment.name,
      release,
      restorePoint: points.planned.flat().join('; '),
      containers: planned,
      refused: [...refused, ...mistaken, ...points.refused],
    };
    return { ...planEnd(data.refused, points.refused.length > 0 || (failOnChanges && changes > 0)), data };
  });
}
