import type { Command } from '../engine/command.ts';
import type { OpenHost } from '../engine/transport.ts';
import { type HeldLease, holdLease, keepLease, whenFree } from '../lease/hold.ts';
import { acquireLease, type LeaseRequest, leaseNote, mustHold, releaseLease } from '../lease/lease.ts';
import type { Opening } from './host-facts.ts';
import type { Invocation, InvocationCore } from './run.ts';

/** The flags about another run's lease. */
export type LeaseFlags = {
  /** `--lease-wait`, in milliseconds. */
  readonly leaseWait?: number | undefined;
  /** `--lease-take`: the run id of a holder that is known to be dead. */
  readonly leaseTake?: string | undefined;
};

function leaseRequest({ world, runId }: InvocationCore, name: string, { leaseTake }: LeaseFlags, release: string): LeaseRequest {
  const { user, machine } = world.who();
  return { environment: name, runId, who: user, from: machine, release, take: leaseTake };
}

/**
 * Takes a lease of the given name by a round trip of its own, where there is no first look to take it with, and renews it until it is given
 * back. That it is lost ends the run.
 *
 * @throws LeaseHeldError when another run holds it for longer than `--lease-wait` allows
 */
export async function takeLease(
  run: InvocationCore,
  { spare }: OpenHost,
  name: string,
  flags: LeaseFlags,
  release: string,
): Promise<HeldLease> {
  const { progress, signal } = run;
  const lease = await holdLease(spare, leaseRequest(run, name, flags, release), { waitMs: flags.leaseWait ?? 0, progress, signal });
  lease.signal.addEventListener('abort', () => run.abort(lease.signal.reason), { once: true });
  return lease;
}

/** The lease of one environment on one host, taken with the first look and renewed from then on until the run ends. */
export class LeaseKeeper {
  readonly #run: Invocation;
  readonly #host: OpenHost;
  readonly #flags: LeaseFlags;
  readonly #release: string;
  #kept: Pick<HeldLease, 'signal' | 'stop'> | undefined;
  #note: string | undefined;

  constructor(run: Invocation, host: OpenHost, flags: LeaseFlags, release: string) {
    this.#run = run;
    this.#host = host;
    this.#flags = flags;
    this.#release = release;
  }

  /** What the audit log must tell of how the lease was had: that it was taken, or that its last holder died. */
  get note(): string | undefined {
    return this.#note;
  }

  /**
   * Does work that begins with taking the lease, again while another run holds it and `--lease-wait` allows.
   *
   * @throws LeaseHeldError when it is held for longer; SafetyError when it was lost while the work was done
   */
  async hold<T>(work: (opening: Opening) => Promise<T>): Promise<T> {
    const { environment, signal, progress } = this.#run;
    const fact = acquireLease(leaseRequest(this.#run, environment.name, this.#flags, this.#release));
    let joined: boolean | undefined;
    const opening: Opening = {
      command: fact.command,
      check: (result) => {
        const answer = mustHold(fact.parse(result), environment.name);
        // Asked again by a look that waits, it renews the lease: what the first answer said holds.
        if (joined === undefined) this.#note = leaseNote(answer);
        joined ??= answer.state === 'renewed';
        // A look that waits for Incus, or for other hosts, may take longer than a lease lasts.
        this.#kept ??= this.#keep();
      },
    };
    const done = await whenFree(() => work(opening), { waitMs: this.#flags.leaseWait ?? 0, progress, signal }).catch(
      async (error: unknown) => {
        // The look failed, so nothing will be done: the next run must not wait for this one's lease (another run's is not touched).
        // One that was joined belongs to the run's other processes too.
        if (joined) this.stop();
        else await this.giveBack();
        throw error;
      },
    );
    this.#kept?.signal.throwIfAborted();
    return done;
  }

  #keep(): Pick<HeldLease, 'signal' | 'stop'> {
    const kept = keepLease(this.#host.spare, this.#run.environment.name, this.#run.runId);
    kept.signal.addEventListener('abort', () => this.#run.abort(kept.signal.reason));
    return kept;
  }

  /** Ends the renewal. */
  stop(): void {
    this.#kept?.stop();
  }

  /** Ends the renewal and gives the lease back at once; failing to is no failure, for it runs out by itself. */
  async giveBack(): Promise<void> {
    this.stop();
    await this.#host.spare.run([this.release()]).catch(() => {});
  }

  /** Gives the lease back. */
  release(): Command {
    return releaseLease(this.#run.environment.name, this.#run.runId);
  }
}
