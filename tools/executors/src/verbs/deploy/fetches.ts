import { type Command, type CommandResult, script } from '../../engine/command.ts';
import { lastLines, MooringError } from '../../engine/errors.ts';
import { findInstance } from '../../engine/instance.ts';
import type { Fetch } from '../../engine/service.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { isLook, placeOf } from '../../shared/instance-look.ts';
import type { Invocation } from '../../shared/run.ts';
import { planStages } from '../../shared/stages.ts';
import type { Survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { shellProgram } from '../../shell/program.ts';

/** What the containers would not get: what stops a deploy, and what may be otherwise for a container that is not there yet. */
export type Unreached = { readonly problems: readonly MooringError[]; readonly warnings: readonly string[] };

type Question = {
  readonly target: PreparedContainer;
  readonly fetch: Fetch;
  readonly command: Command;
  readonly asked: string;
  /** Whether the container itself is asked. */
  readonly itself: boolean;
};

/**
 * Asks for what this deploy has to get from the network, in one round trip, and in none where nothing is to be got. A container asks
 * for itself; for one that is not there yet another one does, which likely has the same proxy of apt, and else the host: what these cannot
 * reach is a warning, as the new one may have a way of its own.
 */
export async function unreached(
  run: Pick<Invocation, 'targets'>,
  targets: readonly PreparedContainer[],
  survey: Survey,
): Promise<Unreached> {
  const questions = targets.flatMap((target) =>
    neededFetches(target, survey).map((fetch) => ({ target, fetch, ...asker(run, target, survey, askFor(fetch)) })),
  );
  if (questions.length === 0) return { problems: [], warnings: [] };
  const results = await survey.host.run(questions.map(({ command }) => command));
  return judge(questions, results);
}

/** What is not reached, by who was asked. Pure. */
function judge(questions: readonly Question[], results: readonly CommandResult[]): Unreached {
  const missing = questions.flatMap((question, i) => {
    const { code, stderr } = results[i] as CommandResult;
    return code === 0 ? [] : [{ ...question, known: NOT_REACHED.includes(code), said: lastLines(stderr) }];
  });
  const text = ({ target, fetch: { what, url }, asked }: Question) => `${target.project}: ${what} ${url} cannot be reached from ${asked}`;
  return {
    problems: missing
      .filter(({ itself, known }) => itself && known)
      .map(
        (one) =>
          new MooringError(text(one), {
            step: 'preflight',
            page: 'services',
            host: one.target.host,
            stderr: one.said,
            next: `fix its outbound access (an apt proxy belongs in the image, in /etc/apt/apt.conf.d), or set a mirror in ${one.target.root}/container.json`,
          }),
      ),
    warnings: missing
      .filter(({ itself, known }) => !itself || !known)
      .map((one) =>
        one.known
          ? `WARNING: ${text(one)}, and ${one.target.instance} is not there yet to be asked: ${one.said}`
          : `WARNING: ${one.target.project}: whether ${one.fetch.what} ${one.fetch.url} can be reached is not known: ${one.said}`,
      ),
  };
}

/** What the plan names; all of it for a container that is to be made. */
function neededFetches(target: PreparedContainer, survey: Survey): readonly Fetch[] {
  const all = target.service.fetches?.(target.desired([]).settings) ?? [];
  if (all.length === 0 || findInstance(survey.incus, placeOf(target)) === undefined) return all;
  const look = survey.instances.get(target.instance);
  if (!isLook(look)) return [];
  const commands = planned(target, look).filter((command): command is Command => 'argv' in command);
  const texts = commands.flatMap(({ argv, stdin }) => [...argv, ...(typeof stdin === 'string' ? [stdin] : [])]);
  return all.some(({ url }) => texts.some((text) => text.includes(url))) ? all : [];
}

/** The commands that are known already; none where the plan is refused, which is told elsewhere. */
function planned(target: PreparedContainer, look: Extract<ReturnType<Survey['instances']['get']>, { answers: unknown }>) {
  try {
    const stages = planStages(target.service, look.desired, look.answers);
    return stages.flatMap((stage) => ('changes' in stage ? stage.changes : [])).flatMap(({ commands }) => commands);
  } catch (error) {
    if (error instanceof MooringError) return [];
    throw error;
  }
}

function asker(
  run: Pick<Invocation, 'targets'>,
  target: PreparedContainer,
  survey: Survey,
  command: Command,
): Pick<Question, 'command' | 'asked' | 'itself'> {
  const other = [target, ...run.targets].find(({ instance, host }) => host === target.host && isLook(survey.instances.get(instance)));
  if (other === undefined) return { command, asked: survey.host.name, itself: false };
  return { command: INSTANCES.inside(placeOf(other), command), asked: other.instance, itself: other === target };
}

/** The second is of `timeout`. */
const NOT_REACHED: readonly number[] = [1, 124];

/** By apt's own way where there is apt, with its proxy; exit code 1: not reached, 69: it could not be asked. */
export function askFor({ url, path }: Fetch): Command {
  return script(
    'read',
    shellProgram(import.meta.url, 'can-fetch.sh'),
    [`${url.replace(/\/$/, '')}${path ?? '/'}`, path === undefined ? 'any' : 'file'],
    { timeoutMs: 60_000 },
  );
}
