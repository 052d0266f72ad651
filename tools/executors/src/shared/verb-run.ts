import { MooringError, NotPartError, ProblemsError } from '../engine/errors.ts';
import { answered } from './answer.ts';
import { attempt } from './attempt.ts';
import type { Answer, Outcome, RunFlags, VerbRequest } from './request.ts';
import { hostsOf, type Invocation, openRun, type RunRequest } from './run.ts';
import { type Survey, survey } from './survey.ts';
import type { FaultyContainer, PreparedContainer } from './target.ts';

/** As far as it is the same whatever a verb shows before it asks. */
export type AnyRequest = Omit<VerbRequest<object>, 'ask' | 'preview'>;

/**
 * Does the work of a verb with everything known that can be known on this machine, and closes the connections after it.
 *
 * @param work given the containers of the environment that the verb is about: all of them for the storage project
 * @param runId of a verb that takes a lease
 */
export function withRun<T>(
  request: AnyRequest,
  work: (run: Invocation, targets: readonly PreparedContainer[]) => Promise<Outcome<T>>,
  runId = 'none',
): Promise<Answer<T>> {
  return opened({ ...request, runId }, (run, { targets }) => work(run, targets));
}

/** As {@link withRun}, for a verb that only looks: it tells what is wrong with the containers that it is about, and looks at the others. */
export function withLook<T>(request: AnyRequest, work: (run: Invocation, asked: Asked) => Promise<Outcome<T>>): Promise<Answer<T>> {
  return opened({ ...request, runId: 'none', looks: true }, (run, asked) => {
    for (const { project, message } of notAsked(run, asked))
      run.progress(`${project} is not part of this command, but no deploy begins before it is fixed: ${message}`);
    return work(run, asked);
  });
}

/** The containers that a verb is about. */
export type Asked = { readonly targets: readonly PreparedContainer[]; readonly faulty: readonly FaultyContainer[] };

async function opened<T>(
  request: AnyRequest & Pick<RunRequest, 'runId' | 'looks'>,
  work: (run: Invocation, asked: Asked) => Promise<Outcome<T>>,
): Promise<Answer<T>> {
  const { adopt, leaveBehind, newHost, without, skipTrial }: RunFlags = request.options;
  const opening = openRun({ ...request, adopt, leaveBehind, newHost, without, skipTrial });
  return answered(opening, async (run) => {
    const whole = request.projects.includes(run.workspace.storage.project);
    const about = <T extends { readonly project: string }>(all: readonly T[]) =>
      all.filter(({ project }) => whole || request.projects.includes(project));
    const asked = { targets: about(run.targets), faulty: about(run.faulty) };
    if (asked.targets.length + asked.faulty.length === 0)
      throw new NotPartError(`${request.projects.join(', ')}: not part of ${run.environment.name}`);
    return work(run, asked);
  });
}

/** What is wrong elsewhere in the workspace: a deploy refuses to begin for it. */
function notAsked({ workspace, faulty }: Invocation, asked: Asked): { project: string; message: string }[] {
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
  const results = await Promise.all(hosts.map(async (host) => ({ host, came: await attempt(() => ask(host)) })));
  const answers = new Map(results.flatMap(({ host, came }) => ('value' in came ? [[host, came.value] as const] : [])));
  const dead = new Map(results.flatMap(({ host, came }) => ('error' in came ? [[host, came.error.with({ host })] as const] : [])));
  const [first] = dead.values();
  if (first !== undefined && answers.size === 0) throw first;
  return { answers, dead };
}

/** Looks at hosts, and into the containers of `asked`, as far as the hosts answer. @throws MooringError when none does */
export function surveyLiving(run: Invocation, hosts: readonly string[], asked: readonly PreparedContainer[] = []): Promise<Living<Survey>> {
  return askLiving(hosts, (name) =>
    survey(
      run,
      name,
      asked.filter(({ host }) => host === name),
    ),
  );
}

/** The hosts of what a verb is about. */
export function hostsAsked({ targets, faulty }: Asked): string[] {
  return hostsOf([...targets, ...faulty]);
}

/** What a host said that did not answer, of one of its containers. */
export function ofContainer(error: MooringError, { instance }: Pick<PreparedContainer, 'instance'>): MooringError {
  return new MooringError(error.message, { ...error.detail, instance }, error);
}

/** The look at the host of a container, of those that {@link surveyLiving} gave. */
export function surveyOf(surveys: ReadonlyMap<string, Survey>, target: PreparedContainer): Survey {
  const found = surveys.get(target.host);
  if (found === undefined) throw new Error(`host ${target.host} was not looked at`);
  return found;
}
