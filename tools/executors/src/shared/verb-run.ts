import { HostError, InputError, MooringError, NotPartError, ProblemsError, showError } from '../engine/errors.ts';
import { CleanText } from '../engine/redactor.ts';
import type { PlanOptions } from '../verbs/plan/options.ts';
import type { VerbRequest, VerbResult } from './request.ts';
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
  const {
    adopt,
    leaveBehind,
    newHost,
    without,
    skipTrial,
  }: Partial<Pick<PlanOptions, 'adopt' | 'leaveBehind' | 'newHost' | 'without' | 'skipTrial'>> = request.options;
  const run = await openRun({ ...request, adopt, leaveBehind, newHost, without, skipTrial });
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

/** What hosts gave that were asked, and why the others gave nothing; each by its name, in the order in which they were asked. */
export type Living<T> = { readonly answers: ReadonlyMap<string, T>; readonly dead: ReadonlyMap<string, MooringError> };

/** Asks hosts, as far as they answer. @throws MooringError when none does */
export async function askLiving<T>(hosts: readonly string[], ask: (host: string) => Promise<T>): Promise<Living<T>> {
  const results = await Promise.all(
    hosts.map(async (host) => {
      try {
        return { host, answer: await ask(host) };
      } catch (error) {
        if (!(error instanceof MooringError)) throw error;
        return { host, error: error.with({ host }) };
      }
    }),
  );
  const answers = new Map(results.flatMap((one) => ('answer' in one ? [[one.host, one.answer as T] as const] : [])));
  const dead = new Map(results.flatMap((one) => (one.error === undefined ? [] : [[one.host, one.error] as const])));
  const [first] = dead.values();
  if (first !== undefined && answers.size === 0) throw first;
  return { answers, dead };
}

/** Looks at hosts, and into the containers of those in `guests`, as far as the hosts answer. @throws MooringError when none does */
export function surveyLiving(run: Run, hosts: readonly string[], guests: readonly Target[] = []): Promise<Living<Survey>> {
  return askLiving(hosts, (name) =>
    survey(
      run,
      name,
      guests.filter(({ host }) => host === name),
    ),
  );
}

/** The hosts of what a verb is about. */
export function hostsAsked({ targets, faulty }: Asked): string[] {
  return hostsOf([...targets, ...faulty]);
}

/**
 * An answer that lacks what could not be asked: that is told below it, or beside it where the answer is data, and the verb fails.
 *
 * @param absent by the name of a host or container
 */
export function lacking(
  run: Pick<Run, 'progress' | 'clean'>,
  { success, output }: VerbAnswer,
  absent: ReadonlyMap<string, MooringError>,
  isData: boolean,
): VerbAnswer {
  if (absent.size === 0) return { success, output };
  const told = [...absent].map(([name, error]) => showAbsent(name, error));
  if (!isData)
    return { success: false, output: new CleanText([run.clean.text(output), ...told.map((one) => run.clean.text(one))].join('\n\n')) };
  for (const one of told) run.progress(one);
  return { success: false, output };
}

function showAbsent(name: string, error: MooringError): string {
  const state =
    error instanceof HostError ? 'unreachable' : error instanceof InputError || error instanceof ProblemsError ? 'not valid' : 'unknown';
  return [
    `${name}: ${state}`,
    ...showError(error)
      .split('\n')
      .map((line) => `  ${line}`),
  ].join('\n');
}

/** The same for a program: the hosts that gave no answer. */
export function jsonDead(dead: Living<unknown>['dead']): { host: string; because: string; error: string }[] {
  return [...dead].map(([host, error]) => ({ host, because: error.message, error: showError(error) }));
}

/** The look at the host of a container, of those that {@link surveyLiving} gave. */
export function surveyOf(surveys: ReadonlyMap<string, Survey>, target: Target): Survey {
  const found = surveys.get(target.host);
  if (found === undefined) throw new Error(`host ${target.host} was not looked at`);
  return found;
}
