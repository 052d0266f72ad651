import { MooringError, NotPartError } from '../engine/errors.ts';
import type { CleanText } from '../engine/redactor.ts';
import type { VerbRequest, VerbResult } from '../shared/request.ts';
import type { PlanOptions } from '../verbs/plan/options.ts';
import { hostsOf, openRun, type Run, type Target } from './run.ts';
import { type Survey, survey } from './survey.ts';

/** What the work of a verb came to; its output is yet to be searched for secrets, unless it is a {@link CleanText}. */
export type VerbAnswer = Omit<VerbResult, 'output'> & { readonly output: string | CleanText };

/**
 * Does the work of a verb with everything known that can be known on this machine, and closes the connections after it.
 *
 * @param work given the containers of the environment that the verb is about: all of them for the storage project
 * @param runId of a verb that takes a lease
 */
export async function withRun(
  request: VerbRequest<object>,
  work: (run: Run, targets: readonly Target[]) => Promise<VerbAnswer>,
  runId = 'none',
): Promise<VerbResult> {
  const { adopt, newHost, without }: Partial<Pick<PlanOptions, 'adopt' | 'newHost' | 'without'>> = request.options;
  const run = await openRun({ ...request, runId, adopt, newHost, without });
  try {
    const whole = request.projects.includes(run.workspace.storage.project);
    const targets = run.targets.filter(({ project }) => whole || request.projects.includes(project));
    if (targets.length === 0) throw new NotPartError(`${request.projects.join(', ')}: not part of ${run.environment.name}`);
    const answer = await work(run, targets);
    return { ...answer, output: run.clean.text(answer.output) };
  } catch (error) {
    throw run.clean.error(error);
  } finally {
    await run.close();
  }
}

/**
 * Looks at the hosts of some targets, and into all of these, as far as the hosts answer.
 *
 * @throws MooringError when none does
 */
export async function surveyLiving(
  run: Run,
  targets: readonly Target[],
): Promise<{ surveys: ReadonlyMap<string, Survey>; dead: ReadonlyMap<string, MooringError> }> {
  const surveys = new Map<string, Survey>();
  const dead = new Map<string, MooringError>();
  const look = async (name: string) => {
    const here = targets.filter(({ host }) => host === name);
    try {
      surveys.set(name, await survey(run, name, here));
    } catch (error) {
      if (!(error instanceof MooringError)) throw error;
      dead.set(name, error.with({ host: name }));
    }
  };
  await Promise.all(hostsOf(targets).map(look));
  const [first] = dead.values();
  if (first !== undefined && surveys.size === 0) throw first;
  return { surveys, dead };
}

/** Looks at the hosts of some targets, and into the containers of those in `guests`. */
export async function surveyAll(run: Run, guests: readonly Target[], targets = guests): Promise<ReadonlyMap<string, Survey>> {
  const all = hostsOf(targets).map(
    async (name) =>
      [
        name,
        await survey(
          run,
          name,
          guests.filter(({ host }) => host === name),
        ),
      ] as const,
  );
  return new Map(await Promise.all(all));
}

/** The look at the host of a container, of those that {@link surveyAll} gave. */
export function surveyOf(surveys: ReadonlyMap<string, Survey>, target: Target): Survey {
  const found = surveys.get(target.host);
  if (found === undefined) throw new Error(`host ${target.host} was not looked at`);
  return found;
}
