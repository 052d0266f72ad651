import { MooringError, NotPartError, ProblemsError } from '../engine/errors.ts';
import type { CleanText } from '../engine/redactor.ts';
import type { VerbRequest, VerbResult } from '../shared/request.ts';
import type { PlanOptions } from '../verbs/plan/options.ts';
import { type FaultyTarget, hostsOf, openRun, type Run, type RunRequest, type Target } from './run.ts';
import { type Survey, survey } from './survey.ts';

/** What the work of a verb came to; its output is yet to be searched for secrets, unless it is a {@link CleanText}. */
export type VerbAnswer = Omit<VerbResult, 'output'> & { readonly output: string | CleanText };

/**
 * Does the work of a verb with everything known that can be known on this machine, and closes the connections after it.
 *
 * @param work given the containers of the environment that the verb is about: all of them for the storage project
 * @param runId of a verb that takes a lease
 */
export function withRun(
  request: VerbRequest<object>,
  work: (run: Run, targets: readonly Target[]) => Promise<VerbAnswer>,
  runId = 'none',
): Promise<VerbResult> {
  return opened({ ...request, runId }, (run, { targets }) => work(run, targets));
}

/** As {@link withRun}, for a verb that only looks: it tells what is wrong with the containers that it is about, and looks at the others. */
export function withLook(request: VerbRequest<object>, work: (run: Run, asked: Asked) => Promise<VerbAnswer>): Promise<VerbResult> {
  return opened({ ...request, runId: 'none', looks: true }, (run, asked) => {
    for (const { project, message } of notAsked(run, asked))
      run.progress(`${project} is not part of this command, but no deploy begins before it is mended: ${message}`);
    return work(run, asked);
  });
}

/** The containers that a verb is about. */
export type Asked = { readonly targets: readonly Target[]; readonly faulty: readonly FaultyTarget[] };

async function opened(
  request: VerbRequest<object> & Pick<RunRequest, 'runId' | 'looks'>,
  work: (run: Run, asked: Asked) => Promise<VerbAnswer>,
): Promise<VerbResult> {
  const { adopt, newHost, without, skipTrial }: Partial<Pick<PlanOptions, 'adopt' | 'newHost' | 'without' | 'skipTrial'>> = request.options;
  const run = await openRun({ ...request, adopt, newHost, without, skipTrial });
  try {
    const whole = request.projects.includes(run.workspace.storage.project);
    const about = <T extends { readonly project: string }>(all: readonly T[]) =>
      all.filter(({ project }) => whole || request.projects.includes(project));
    const asked = { targets: about(run.targets), faulty: about(run.faulty) };
    if (asked.targets.length + asked.faulty.length === 0)
      throw new NotPartError(`${request.projects.join(', ')}: not part of ${run.environment.name}`);
    const answer = await work(run, asked);
    return { ...answer, output: run.clean.text(answer.output) };
  } catch (error) {
    throw run.clean.error(error);
  } finally {
    await run.close();
  }
}

/** What is wrong elsewhere in the workspace: a deploy refuses to begin for it. */
function notAsked({ workspace, faulty }: Run, asked: Asked): { project: string; message: string }[] {
  const elsewhere = workspace.faulty.filter(({ project }) => faulty.every((one) => one.project !== project));
  return [
    ...faulty.filter((one) => !asked.faulty.includes(one)).map(({ project, error }) => ({ project, message: summaryOf(error) })),
    ...elsewhere.map(({ project, problems }) => ({ project, message: problems.map(summaryOf).join('; ') })),
  ];
}

function summaryOf(error: MooringError): string {
  return error instanceof ProblemsError ? error.problems.map(({ message }) => message).join('; ') : error.message;
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
