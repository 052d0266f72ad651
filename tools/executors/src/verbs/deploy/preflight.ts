import { InputError, MooringError, SafetyError } from '../../engine/errors.ts';
import { findInstance } from '../../engine/instance.ts';
import { nxRun } from '../../engine/nx-command.ts';
import type { ArtifactSpec } from '../../engine/service.ts';
import { attemptNow } from '../../shared/attempt.ts';
import { BACKENDS, INSTANCES } from '../../shared/backends.ts';
import { isLook, placeOf } from '../../shared/instance-look.ts';
import { type ProvisionFlags, planProvision } from '../../shared/provision.ts';
import type { Invocation } from '../../shared/run.ts';
import { planStages } from '../../shared/stages.ts';
import { poolsOf, type Survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { supportOf } from '../../snapshots/backend.ts';

/** The oldest Incus whose API this tool was tried on. */
const INCUS_MINIMUM = [6, 0] as const;

/**
 * Everything about one host that forbids a deploy, all at once. Pure.
 *
 * @param targets the environment's containers on this host
 * @param concerned those of them that this deploy is about: the state of the others' instances does not matter to it
 */
export function hostProblems(
  run: Pick<Invocation, 'environment'>,
  hostName: string,
  targets: readonly PreparedContainer[],
  concerned: readonly PreparedContainer[],
  survey: Survey,
  flags: ProvisionFlags,
): MooringError[] {
  const problems = [
    ...incusProblems(run, survey),
    ...poolProblems(run, targets, survey),
    ...concerned.flatMap((target) => problemOf(() => planProvision(target, survey, flags))),
    ...[...survey.instances.values()].filter((look) => look instanceof MooringError),
  ];
  // What is wrong with the network is told by every container that could not be asked because of it.
  const each = new Map(problems.map((problem) => [problem.message, problem]));
  return [...each.values()].map((problem) => problem.with({ host: hostName, step: 'preflight', page: 'containers' }));
}

/**
 * Binaries that this deploy needs and cannot have: they are neither in the store, nor to be built, or what their URL gives
 * has another sha256. A download is made now, because only then it is known; a build is only proved to be possible.
 *
 * @param survey of the targets' host; without one every binary is taken to be needed
 */
export async function artifactProblems(
  run: Invocation,
  targets: readonly PreparedContainer[],
  survey: Survey | undefined,
): Promise<MooringError[]> {
  const needed = targets.flatMap((target) => neededArtifacts(target, survey).map((name) => ({ target, name })));
  const found = await Promise.all(needed.map(({ target, name }) => artifactProblem(run, target, name)));
  return found.flat();
}

async function artifactProblem(run: Invocation, target: PreparedContainer, name: string): Promise<MooringError[]> {
  const spec = target.desired([]).context.artifacts[name] as ArtifactSpec;
  const answer = await run.world.artifacts.available(spec, { signal: run.signal });
  const problem = (because: string, next: string) => [
    new MooringError(`${target.project}: ${because}`, { step: 'preflight', page: 'binaries', next }),
  ];
  if (!answer.ok) return problem(answer.because, answer.next);
  if (answer.how !== 'download') return [];
  return run.obtain(target, name).then(
    () => [],
    (error: unknown) => {
      if (!(error instanceof MooringError)) throw error;
      return problem(error.message, error.detail.next ?? 'fix the cause, then run the same command again');
    },
  );
}

/** Names of the binaries that the plan puts in place; all of them where the plan is not known. */
function neededArtifacts(target: PreparedContainer, survey: Survey | undefined): string[] {
  const all = Object.keys(target.desired([]).context.artifacts);
  const look = survey?.instances.get(target.instance);
  if (all.length === 0 || !isLook(look)) return all;
  const plans = attemptNow(() => planStages(target.service, look.desired, look.answers));
  if (!('value' in plans) || plans.value.some((stage) => 'knownAfter' in stage)) return all;
  const commands = plans.value.flatMap((stage) => ('changes' in stage ? stage.changes : [])).flatMap((change) => change.commands);
  return all.filter((name) => commands.some((command) => 'artifact' in command && command.artifact === name));
}

function incusProblems({ environment }: Pick<Invocation, 'environment'>, { incus }: Survey): MooringError[] {
  const problems: MooringError[] = [];
  const { project, profiles, image } = environment.incus;
  const file = `infra/environments/${environment.name}.json`;
  const [major = 0, minor = 0] = incus.version.split('.').map(Number);
  if (major < INCUS_MINIMUM[0] || (major === INCUS_MINIMUM[0] && minor < INCUS_MINIMUM[1])) {
    problems.push(
      new InputError(`Incus ${incus.version} is too old; expected ${INCUS_MINIMUM.join('.')} or newer`, {
        page: 'containers',
        next: 'upgrade Incus on the host',
      }),
    );
  }
  if (!incus.projects.some(({ name }) => name === project)) {
    problems.push(
      new InputError(`there is no Incus project ${project} (known: ${incus.projects.map(({ name }) => name).join(', ')})`, {
        next: `fix incus.project in ${file}, or: incus project create ${project}`,
      }),
    );
    return problems;
  }
  for (const profile of profiles) {
    if (!incus.profiles?.some(({ name }) => name === profile)) {
      problems.push(
        new InputError(`there is no profile ${profile} in the Incus project ${project}`, {
          next: `fix incus.profiles in ${file}, or: incus profile create ${profile} --project ${project}`,
        }),
      );
    }
  }
  if (!incus.aliases?.some(({ name }) => name === image)) {
    problems.push(
      new InputError(`there is no image ${image} in the Incus project ${project}`, {
        next: `fix incus.image in ${file}, or import it; what is there: incus image list --project ${project}`,
      }),
    );
  }
  problems.push(...problemOf(() => INSTANCES.clientNetworks(incus, environment)));
  return problems;
}

function poolProblems(
  { environment }: Pick<Invocation, 'environment'>,
  targets: readonly PreparedContainer[],
  survey: Survey,
): MooringError[] {
  const pools = poolsOf(survey.incus, targets);
  return pools.flatMap((pool): MooringError[] => {
    const { name, status, driver } = pool;
    if (status !== 'Created')
      return [
        new SafetyError(`pool ${name} is ${status}: what is on it cannot be seen`, {
          next: `incus storage info ${name}; import or mount what it is made of`,
        }),
      ];
    const space = survey.spaces.get(name);
    if (space === undefined || space.total === 0)
      return [new SafetyError(`Incus does not report the space of pool ${name}`, { next: `incus storage info ${name}` })];
    const percent = Math.round((100 * space.used) / space.total);
    const problems: MooringError[] = [];
    if (percent > environment.poolUsedPercentMax) {
      problems.push(
        new SafetyError(
          `pool ${name} is ${percent} % full; a deploy begins at ${environment.poolUsedPercentMax} % at most (poolUsedPercentMax)`,
          { next: `make room: ${nxRun('status')} shows the restore points` },
        ),
      );
    }
    const support = supportOf(BACKENDS, pool);
    const never = 'because' in support && support.never === true;
    if (never && environment.name !== 'local' && !environment.allowNoRestorePoint) {
      const users = targets.filter((target) => poolNameOf(survey, target) === name).map(({ instance }) => instance);
      problems.push(
        new SafetyError(
          `pool ${name} has the driver ${driver}, which can make no restore point of a running database (${users.join(', ') || 'containers to be created'})`,
          {
            next: `use a zfs or btrfs pool, or accept the risk in infra/environments/${environment.name}.json: "allowNoRestorePoint": true`,
          },
        ),
      );
    }
    return problems;
  });
}

function poolNameOf(survey: Survey, target: PreparedContainer): string | undefined {
  const instance = findInstance(survey.incus, placeOf(target));
  return instance && INSTANCES.rootPool(instance, survey.incus.pools).name;
}

function problemOf(work: () => unknown): MooringError[] {
  const result = attemptNow(work);
  return 'error' in result ? [result.error] : [];
}
