import { z } from 'zod';
import { type Command, type CommandResult, script } from '../engine/command.ts';
import { CommandError, commandFailed, InputError, MooringError, mustSucceed } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import type { Page } from '../engine/pages.ts';
import { environmentDir } from '../engine/state-dir.ts';
import { shellProgram } from '../shell/program.ts';

/** How long a lease is valid without being renewed, by the host's clock. */
export const validSeconds = 60;

const leaseSchema = z.strictObject({
  runId: z.string(),
  /** User name. */
  who: z.string(),
  /** Machine. */
  from: z.string(),
  release: z.string(),
  /** Seconds since 1970, host clock. */
  since: z.int(),
  expires: z.int(),
});

/** Who may change an environment on one host, and until when. */
export type Lease = z.output<typeof leaseSchema>;

/** What a run says of itself to get the lease. */
export type LeaseRequest = Pick<Lease, 'runId' | 'who' | 'from' | 'release'> & {
  readonly environment: string;
  /** Run id of the holder whose lease is taken over, though it has not run out (`--lease-take`). */
  readonly take?: string | undefined;
};

/**
 * What the host answered. `granted`: nobody had it. `renewed`: this run had it (its other processes join). `expired`: the
 * previous holder's had run out. `taken`: it was taken from the holder that `take` names.
 */
export type LeaseAnswer = OurLease | { readonly state: 'held'; readonly now: number; readonly holder: Lease };
export type OurLease = {
  readonly state: 'granted' | 'renewed' | 'expired' | 'taken';
  readonly now: number;
  readonly lease: Lease;
  /** What was there before. */
  readonly previous?: Lease;
};

/** One of the program's verbs, on the folder of the environment. */
function lease(verb: 'acquire' | 'renew' | 'release', environment: string, runId: string, ...more: readonly string[]): Command {
  return script('write', shellProgram(import.meta.url, 'lease.sh'), [verb, environmentDir(environment), runId, ...more]);
}

/**
 * Takes the lease, or joins it when this run has it already. Exits with 75 when another run holds it, so that it can stand
 * first in a sequence. One process at a time is in its critical section.
 */
export function acquireLease(request: LeaseRequest): Fact<LeaseAnswer> {
  const { environment, runId, who, from, release, take } = request;
  for (const id of take === undefined ? [runId] : [runId, take]) checkRunId(id);
  const start = JSON.stringify({ runId, who, from, release }).slice(0, -1);
  const command = lease('acquire', environment, runId, start, take ?? '', String(validSeconds));
  return { name: 'lease', command, parse: (result) => parseAnswer(result, environment) };
}

/** Renews the lease of a run. The answer is the new holder, or `gone`, when this run does not have it any more. */
export function renewLease(environment: string, runId: string): Fact<'renewed' | 'gone' | Lease> {
  checkRunId(runId);
  return {
    name: 'lease renewal',
    command: lease('renew', environment, runId, String(validSeconds)),
    parse(result) {
      const [state, holder] = mustHaveRun(result, environment).stdout.split('\n');
      if (state === 'renewed' || state === 'gone') return state;
      if (state === 'lost') return parseLease(holder, result);
      throw commandFailed(result, 'the answer about the lease is not understood', { page: 'lease' });
    },
  };
}

/** Gives the lease back, if this run has it; else it does nothing. */
export function releaseLease(environment: string, runId: string): Command {
  checkRunId(runId);
  return lease('release', environment, runId);
}

/** Another run holds the lease. */
export class LeaseHeldError extends MooringError {
  static override readonly page: Page | undefined = 'lease';
  readonly holder: Lease;
  readonly secondsLeft: number;

  constructor(environment: string, { holder, now }: LeaseAnswer & { state: 'held' }) {
    const secondsLeft = holder.expires - now;
    super(`${environment} is held by another run: ${showLease(holder)}; its lease runs out in ${secondsLeft} s, unless it is renewed`, {
      next: `wait: the same command with --lease-wait=90s; or, if that run is known to be dead: --lease-take=${holder.runId}`,
    });
    this.holder = holder;
    this.secondsLeft = secondsLeft;
  }
}

/** Gives the answer back if the lease is ours now. @throws LeaseHeldError */
export function mustHold(answer: LeaseAnswer, environment: string): OurLease {
  if (answer.state === 'held') throw new LeaseHeldError(environment, answer);
  return answer;
}

/** What the audit log must tell of an answer; nothing for an ordinary one. */
export function leaseNote(answer: OurLease): string | undefined {
  if (answer.previous === undefined || answer.state === 'renewed') return undefined;
  return `${answer.state === 'taken' ? 'taken from' : 'after one that had run out:'} ${showLease(answer.previous)}`;
}

/** A lease for a reader. */
export function showLease({ who, from, release, since, runId }: Lease): string {
  const when = new Date(since * 1000).toISOString().replace('T', ' ').slice(0, 19);
  return `${who} from ${from}, run ${runId}, since ${when} UTC, release ${release.slice(0, 12)}`;
}

function parseAnswer(result: CommandResult, environment: string): LeaseAnswer {
  if (result.code !== 75) mustHaveRun(result, environment);
  const [first = '', one, two] = result.stdout.split('\n');
  const [, state, time] = /^(granted|renewed|expired|taken|held) (\d+)$/.exec(first) ?? [];
  if (state === undefined || (state === 'held') !== (result.code === 75))
    throw commandFailed(result, 'the answer about the lease is not understood', { page: 'lease' });
  const now = Number(time);
  if (state === 'held') return { state, now, holder: parseLease(one, result) };
  const lease = parseLease(one, result);
  return { state: state as 'granted', now, lease, ...(two ? { previous: parseLease(two, result) } : {}) };
}

function mustHaveRun(result: CommandResult, environment: string): CommandResult {
  if (result.code !== 65) return mustSucceed(result, `the lease of ${environment} could not be taken or renewed`, { page: 'lease' });
  const file = `${environmentDir(environment)}/lease`;
  throw commandFailed(result, `${file} exists but is not a lease`, {
    page: 'lease',
    next: `look who else is at work there; if nobody is: rm ${file}`,
  });
}

function parseLease(text: string | undefined, result: CommandResult): Lease {
  try {
    return leaseSchema.parse(JSON.parse(text ?? ''));
  } catch (cause) {
    const { message, detail } = commandFailed(result, 'the answer about the lease is not understood', { page: 'lease' });
    throw new CommandError(message, detail, cause);
  }
}

function checkRunId(runId: string): void {
  if (!/^[A-Za-z0-9][\w.-]{0,127}$/.test(runId)) {
    throw new InputError(`${JSON.stringify(runId)} is not a run id`, {
      next: 'take it from the message that names the holder, such as 20260131T235959-0f1e2d3c4b5a',
    });
  }
}
