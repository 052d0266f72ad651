import type { CommandResult, Host } from '../engine/command.ts';
import { type MooringError, SafetyError } from '../engine/errors.ts';
import { nxRun } from '../engine/nx-command.ts';
import {
  acquireLease,
  type Lease,
  LeaseHeldError,
  type LeaseRequest,
  mustHold,
  type OurLease,
  releaseLease,
  renewLease,
  showLease,
  validSeconds,
} from './lease.ts';

/** Milliseconds. A renewal may fail twice before the lease runs out. */
const renewEvery = 20_000;
const retryEvery = 5_000;
/** With this long since the last renewal nothing may be changed any more; the rest is for what is on its way. */
const giveUpAfter = (validSeconds - 10) * 1000;
const askEvery = 2_000;
const sayEvery = 10_000;

export type WaitOptions = {
  /** How long to wait for another run's lease; 0 not at all. */
  readonly waitMs: number;
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal;
};

/** A lease that is renewed until it is given back. */
export type HeldLease = {
  readonly answer: OurLease;
  /** Aborted, with the error as its reason, as soon as the lease is not ours for certain. */
  readonly signal: AbortSignal;
  /** Ends the renewal; the lease stays for the run's other processes, and runs out. */
  stop(): void;
  /** Ends the renewal and gives the lease back. */
  release(): Promise<void>;
};

/**
 * Takes a host's lease and renews it.
 *
 * @param host for a host over SSH its `spare`, so that no renewal waits for a long command
 * @throws LeaseHeldError when another run holds it, and still holds it after `waitMs`
 */
export async function holdLease(host: Host, request: LeaseRequest, wait: WaitOptions): Promise<HeldLease> {
  const { environment, runId } = request;
  const fact = acquireLease(request);
  const answer = await whenFree(async () => {
    const [result] = await host.run([fact.command]);
    return mustHold(fact.parse(result as CommandResult), environment);
  }, wait);
  const { signal, stop } = keepLease(host, environment, runId);
  return {
    answer,
    signal,
    stop,
    async release() {
      stop();
      await host.run([releaseLease(environment, runId)]);
    },
  };
}

/**
 * Does what needs the lease, again and again while another run holds it.
 *
 * @param attempt throws {@link LeaseHeldError} while it does
 */
export async function whenFree<T>(attempt: () => Promise<T>, { waitMs, progress, signal }: WaitOptions): Promise<T> {
  const end = performance.now() + waitMs;
  let sayAt = 0;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const now = performance.now();
      if (!(error instanceof LeaseHeldError) || now >= end) throw error;
      if (now >= sayAt) {
        progress(`waiting, at most ${Math.ceil((end - now) / 1000)} s more: ${error.message}`);
        sayAt = now + sayEvery;
      }
      await sleep(Math.min(askEvery, end - now), signal);
    }
  }
}

/** Renews a lease that this run has, until `stop`; see {@link HeldLease}. */
export function keepLease(host: Host, environment: string, runId: string): Pick<HeldLease, 'signal' | 'stop'> {
  const lost = new AbortController();
  const fact = renewLease(environment, runId);
  let ended = false;
  let next: NodeJS.Timeout | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let trouble: unknown;
  const stop = () => {
    ended = true;
    clearTimeout(next);
    clearTimeout(deadline);
  };
  const giveUp = (error: MooringError) => {
    if (ended) return;
    stop();
    lost.abort(error);
  };
  const schedule = (after: number) => {
    if (!ended) next = setTimeout(renew, after).unref();
  };
  const renewed = () => {
    clearTimeout(deadline);
    if (!ended) deadline = setTimeout(() => giveUp(notRenewed(environment, host, trouble)), giveUpAfter).unref();
    schedule(renewEvery);
  };
  const renew = async () => {
    try {
      const [result] = await host.run([fact.command]);
      const answer = fact.parse(result as CommandResult);
      if (answer === 'renewed') renewed();
      else giveUp(lostTo(environment, host, answer));
    } catch (error) {
      trouble = error;
      schedule(retryEvery);
    }
  };
  renewed();
  return { signal: lost.signal, stop };
}

function lostTo(environment: string, host: Host, holder: 'gone' | Lease): SafetyError {
  return new SafetyError(
    `the lease of ${environment} was lost: ${holder === 'gone' ? 'it was given back or removed' : `now it has ${showLease(holder)}`}`,
    {
      host: host.name,
      page: 'lease',
      next: `nothing more is changed by this run; see what the other one does (${nxRun('log', { environment })}), then run the same command again`,
    },
  );
}

function notRenewed(environment: string, host: Host, cause: unknown): SafetyError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new SafetyError(
    `the lease of ${environment} could not be renewed for ${giveUpAfter / 1000} s${why}`,
    {
      host: host.name,
      page: 'lease',
      next: 'nothing more is changed by this run; run the same command again when the host answers',
    },
    cause,
  );
}

/** @throws the signal's reason */
function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
