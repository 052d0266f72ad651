import { appendAudit, type NewAuditEntry } from '../../audit/audit.ts';
import { bundle, unbundle } from '../../engine/bundle.ts';
import type { Change } from '../../engine/change.ts';
import { type Command, type CommandResult, read } from '../../engine/command.ts';
import { commandFailed, mustSucceed } from '../../engine/errors.ts';
import { hostFromTransport } from '../../engine/transport.ts';
import { applyChanges } from '../../shared/apply.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { askHealth, lookAgain, placeOf } from '../../shared/instance-look.ts';
import type { Invocation } from '../../shared/run.ts';
import { inStep } from '../../shared/stages.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { verified } from '../../shared/verified.ts';
import { afterwards, forgetting, isDrifted, nicsOf } from './afterwards.ts';
import type { RollbackView } from './look.ts';
import type { ContainerRollback } from './plan.ts';

/**
 * How long a container and its service may take to start, in seconds: PostgreSQL replays its log first, which takes minutes for a large one.
 * A unit that has failed is not waited for.
 */
const START_SECONDS = 600;

/** What a roll-back came to for one container. */
export type RolledBack = {
  readonly container: string;
  readonly instance: string;
  /** Seconds from the stop to the first healthy answer. */
  readonly downSeconds: number;
  /** What is to be known of it; a sentence each. */
  readonly notes: readonly string[];
  /** Runs on the state gone back to, but with other settings than the workspace's. */
  readonly drifted: boolean;
};

/** Stops, exchanges, starts and verifies the containers of one host. */
export class Exchange {
  readonly #run: Invocation;
  readonly #view: RollbackView;
  readonly #plans: readonly ContainerRollback[];
  #stoppedAt = 0;

  constructor(run: Invocation, view: RollbackView, plans: readonly ContainerRollback[]) {
    this.#run = run;
    this.#view = view;
    this.#plans = plans;
  }

  /** Stops what runs, all at once. @throws CommandError when one does not stop in time */
  async stop(): Promise<void> {
    this.#stoppedAt = performance.now();
    await this.#all(
      'stop',
      this.#plans
        .filter(({ candidate }) => candidate.instance.status === 'Running')
        .map((plan) => [plan, [INSTANCES.stopInstance(placeOf(plan.candidate.target))]]),
    );
  }

  /** Exchanges all volumes of all containers, one after the other in one round trip. */
  async exchange(): Promise<void> {
    const changes = this.#plans.flatMap((plan) => [...this.#changes(plan), ...afterwards(plan)]);
    await applyChanges(changes, {
      host: this.#view.host,
      obtain: () => Promise.reject(new Error('a roll-back needs no artifact')),
      signal: new AbortController().signal,
      begin: ({ resource, because }) => this.#run.progress(`${this.#view.name}: ${resource}: ${because}`),
    });
  }

  /** Starts all and waits until they are up, all at once. */
  async start(): Promise<void> {
    await this.#all(
      'start',
      this.#plans.map((plan) => [plan, INSTANCES.startInstance(placeOf(plan.candidate.target), START_SECONDS, nicsOf(plan))]),
    );
  }

  /** Waits until those that run already are up: one that has only just been started has no address yet. */
  async settle(): Promise<void> {
    await this.#all(
      'wait',
      this.#plans.map((plan) => [plan, [INSTANCES.waitUntilUp(placeOf(plan.candidate.target), START_SECONDS, nicsOf(plan))]]),
    );
  }

  /** Asks the services by their own protocols. @throws MooringError when one is not healthy and its settings do not explain it */
  async verify(): Promise<RolledBack[]> {
    return Promise.all(this.#plans.map((plan) => this.#verify(plan)));
  }

  async #verify({ candidate: { target } }: ContainerRollback): Promise<RolledBack> {
    const base = { container: target.project, instance: target.instance };
    const end = performance.now() + START_SECONDS * 1000;
    for (;;) {
      const networks = INSTANCES.clientNetworks(this.#view.incus, this.#run.environment);
      const look = await askHealth(this.#view.host, target, networks);
      try {
        const health = await verified(look);
        const note = `${target.service.name} ${health.version} is healthy (${health.detail})`;
        return { ...base, downSeconds: this.#downSeconds(), notes: [note], drifted: false };
      } catch (error) {
        const failure = inStep(error, 'verify').with({ host: this.#view.name, instance: target.instance });
        const { state, journal } = await this.#unit(target);
        if (state === 'active' && isDrifted(target, await lookAgain(this.#view.host, target, networks))) {
          const note = `${target.service.name} runs, but with the settings of that time: ${failure.message}`;
          return { ...base, downSeconds: this.#downSeconds(), notes: [note], drifted: true };
        }
        if (state === 'failed' || performance.now() > end) throw failure.with({ stderr: journal });
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  }

  /** What systemd says of the service's unit, and its last lines. */
  async #unit(target: PreparedContainer): Promise<{ state: string; journal: string }> {
    const commands = [
      read(['systemctl', 'is-active', target.service.unit]),
      read(['journalctl', '-u', target.service.unit, '-n', '6', '-o', 'cat']),
    ];
    const instance = hostFromTransport(INSTANCES.transportInside(this.#view.host.transport, placeOf(target)));
    const [state, journal] = await instance.run(commands);
    return { state: state?.stdout.trim() ?? '', journal: journal?.stdout.trim() ?? '' };
  }

  #downSeconds(): number {
    return Math.round((performance.now() - this.#stoppedAt) / 100) / 10;
  }

  #changes(plan: ContainerRollback): Change[] {
    return plan.volumes.flatMap((one) => [...(one.forget?.when === 'before' ? forgetting(plan) : []), ...one.changes(plan.forget)]);
  }

  async #all(step: string, work: readonly (readonly [ContainerRollback, readonly Command[]])[]): Promise<void> {
    const host = this.#view.host;
    for (const [{ candidate }] of work) this.#run.progress(`${candidate.target.project}: ${step}`);
    const results = await host.run(work.map(([, commands]) => bundle(commands, 'sequence')));
    for (const [i, [{ candidate }, commands]] of work.entries()) {
      const detail = { host: this.#view.name, instance: candidate.target.instance, step };
      const last = unbundle(results[i] as CommandResult, commands, host.name).at(-1) as CommandResult;
      if (last.code !== 0) throw commandFailed(last, `${candidate.target.instance} did not ${step}`, detail);
    }
  }
}

/** Writes into the audit log of a host, with commands that must come before or after it. */
export async function writeDown(
  run: Invocation,
  view: RollbackView,
  entries: readonly NewAuditEntry[],
  { first = [], last = [] }: { readonly first?: readonly Command[]; readonly last?: readonly Command[] } = {},
): Promise<void> {
  for (const result of await view.host.run([...first, appendAudit(run.environment.name, entries), ...last], 'sequence'))
    mustSucceed(result, 'the roll-back could not be written down', { host: view.name });
}
