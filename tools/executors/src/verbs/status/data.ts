import type { MooringError } from '../../engine/errors.ts';
import { preservedStates } from '../../shared/preserved-states.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { hostsOf } from '../../shared/run.ts';
import { surveyLiving, surveyOf, withLook } from '../../shared/verb-run.ts';
import type { PreservedState } from '../../snapshots/preserved.ts';
import { type CompletedRelease, readCompletedRelease } from './completed-release.ts';
import type { StatusOptions } from './options.ts';
import { type ContainerStatus, failsOn, faultyStatus, statusOf, unseenStatus } from './rows.ts';

/** What is known of an environment: a row for each container, the states that roll-backs left, and what could not be asked. */
export type EnvironmentStatus = {
  readonly environment: string;
  readonly containers: readonly ContainerStatus[];
  readonly kept: readonly PreservedState[];
  readonly errors: readonly MooringError[];
};

/** The table of an environment, or only the release that was completed there. */
export function status(request: VerbRequest<StatusOptions>): Promise<Answer<EnvironmentStatus | CompletedRelease>> {
  return request.options.completedRelease ? readCompletedRelease(request) : statusOfAll(request);
}

function statusOfAll(request: VerbRequest<StatusOptions>): Promise<Answer<EnvironmentStatus>> {
  return withLook(request, async (run, { targets, faulty }) => {
    const environment = run.environment.name;
    const { answers: surveys, dead } = await surveyLiving(run, hostsOf(targets), targets);
    const hosts = [...surveys].map(([host, { points }]) => ({ host, points }));
    const seen = await Promise.all(
      targets.map(async (target) => {
        const error = dead.get(target.host);
        return error === undefined ? statusOf(run, target, surveyOf(surveys, target), hosts) : unseenStatus(target, error);
      }),
    );
    const containers = [...seen, ...faulty.map(faultyStatus)];
    const whole = targets.length === run.targets.length;
    const all = (await Promise.all([...surveys.values()].map((one) => preservedStates(one, environment))))
      .flat()
      .flatMap(({ states }) => states);
    const kept = all.filter(({ mark }) => whole || targets.some(({ instance }) => instance === mark.instance));
    const errors = [...dead.values(), ...faulty.map(({ error }) => error)];
    const healths = containers.map(({ health }) => health);
    return {
      success: errors.length === 0 && !failsOn(request.options.failOn, healths),
      data: { environment, containers, kept, errors },
    };
  });
}
