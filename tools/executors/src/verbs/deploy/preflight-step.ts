import { MooringError, ProblemsError } from '../../engine/errors.ts';
import { inTurn } from '../../shared/every-host.ts';
import { isLook } from '../../shared/instance-look.ts';
import { leavingChanges, refuseLeaving } from '../../shared/leave-behind.ts';
import { offeringWithout } from '../../shared/left-out.ts';
import type { ProvisionFlags } from '../../shared/provision.ts';
import { hostsOf, type Invocation } from '../../shared/run.ts';
import type { Survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { refuse } from '../../workspace/problems.ts';
import { unreached } from './fetches.ts';
import type { DataRequest } from './options.ts';
import { artifactProblems, hostProblems } from './preflight.ts';

type Preflight = {
  readonly run: Invocation;
  readonly request: Pick<DataRequest, 'projects' | 'options'>;
  readonly flags: ProvisionFlags;
  survey(host: string): Promise<Survey>;
  release(): Promise<string>;
};

/**
 * The step `zfs:preflight`: looks at every host of the environment, one after the other.
 *
 * @returns a line a host
 * @throws ProblemsError with all that cannot work, before anything is touched
 */
export async function preflight(asked: Preflight): Promise<string> {
  const { run } = asked;
  for (const warning of run.warnings) run.progress(warning);
  const problems: MooringError[] = [];
  const [lines] = await Promise.all([
    inTurn(hostsOf(run.targets), (name) => lookAt(name, asked, problems)),
    collected(problems, asked.release()),
  ]);
  refuse(problems, 'nothing was touched');
  return lines
    .flat()
    .map((line) => `preflight: ${line}`)
    .join('\n');
}

/** What a host is like, a line each; what cannot work there goes to the problems. */
async function lookAt(name: string, asked: Preflight, problems: MooringError[]): Promise<string[]> {
  const { run, request, flags } = asked;
  const { targets, without } = run;
  const looking = asked.survey(name).catch((error: unknown) => {
    throw offeringWithout(error, name, targets, { without, projects: request.projects });
  });
  const survey = await collected(problems, looking);
  const here = targets.filter(({ host }) => host === name);
  const concerned = here.filter(({ project }) => request.projects.includes(project));
  problems.push(...(await artifactProblems(run, concerned, survey)));
  if (survey === undefined) return [];
  const before = problems.length;
  problems.push(...hostProblems(run, name, here, concerned, survey, flags));
  if (!request.options.dryRun) for (const target of concerned) await collected(problems, refuseLeft(run, target, survey));
  const network = problems.length > before ? undefined : await collected(problems, unreached(run, concerned, survey));
  problems.push(...(network?.problems ?? []));
  const pools = [...survey.spaces].map(([pool, { used, total }]) => `pool ${pool} ${Math.round((100 * used) / total)} % used`);
  return [`${name}: Incus ${survey.incus.version}, ${[...pools, `${here.length} containers`].join(', ')}`, ...(network?.warnings ?? [])];
}

/** The result of some work, or nothing: what it throws goes to the problems. */
async function collected<T>(problems: MooringError[], work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (!(error instanceof MooringError)) throw error;
    problems.push(...(error instanceof ProblemsError ? error.problems : [error]));
    return undefined;
  });
}

/** What `--leave-behind` does not name is refused before anything is touched. */
async function refuseLeft(
  { leaveBehind }: Invocation,
  { project, service, instance, host }: PreparedContainer,
  survey: Survey,
): Promise<void> {
  const look = survey.instances.get(instance);
  if (!isLook(look)) return;
  try {
    refuseLeaving(project, leavingChanges(service, look.desired, look.answers), leaveBehind);
  } catch (error) {
    throw error instanceof MooringError ? error.with({ host, instance }) : error;
  }
}
