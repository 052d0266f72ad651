import { MooringError } from '../../engine/errors.ts';
import { findInstance } from '../../engine/instance.ts';
import { INSTANCES } from '../../shared/backends.ts';
import type { Purpose } from '../../shared/format.ts';
import { type InstanceLook, isLook, lookAgain, placeOf } from '../../shared/instance-look.ts';
import { type LeaseFlags, LeaseKeeper } from '../../shared/lease-keeper.ts';
import type { Invocation } from '../../shared/run.ts';
import { type Survey, survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';

export type HostInspectionOptions = {
  release(): Promise<string>;
  /** Containers whose facts are gathered at once. */
  readonly look: readonly PreparedContainer[];
  /** Flags of the lease; nothing when this process changes nothing. */
  readonly lease: LeaseFlags | undefined;
  /** A preflight is for a change, also where it is all that this process does. */
  readonly purpose: Purpose;
};

/** A container of the environment, and the host where it is. */
export type Place = { readonly project: string; readonly container: string; readonly host: string };

/** One host as a deploy has seen it: looked at once, under the lease where this process needs one. */
export class HostInspection {
  readonly #run: Invocation;
  /** As the environment names it. */
  readonly name: string;
  readonly #options: HostInspectionOptions;
  readonly #provisioned = new Set<string>();
  #lease: LeaseKeeper | undefined;
  #survey: Promise<Survey> | undefined;

  constructor(run: Invocation, name: string, options: HostInspectionOptions) {
    this.#run = run;
    this.name = name;
    this.#options = options;
  }

  /** The lease on the host; nothing where it was not looked at, or nothing is changed. */
  get lease(): LeaseKeeper | undefined {
    return this.#lease;
  }

  /** What is there; looked at once. */
  survey(): Promise<Survey> {
    this.#survey ??= this.#look();
    return this.#survey;
  }

  /** What was there, if it was looked at; a look that failed is none. */
  async surveyed(): Promise<Survey | undefined> {
    return this.#survey?.catch(() => undefined);
  }

  async #look(): Promise<Survey> {
    const { look, purpose, lease, release } = this.#options;
    if (lease === undefined) return survey(this.#run, this.name, look, undefined, purpose);
    this.#lease = new LeaseKeeper(this.#run, await this.#run.host(this.name), lease, await release());
    return this.#lease.hold((opening) => survey(this.#run, this.name, look, opening, purpose));
  }

  /** One container as it is now: from the survey, or anew if it has been provisioned since. */
  async look(target: PreparedContainer): Promise<InstanceLook> {
    const { host, instances, incus } = await this.survey();
    const known = instances.get(target.instance);
    if (known instanceof MooringError) throw known;
    if (isLook(known) && !this.#provisioned.has(target.instance)) return known;
    return lookAgain(host, target, INSTANCES.clientNetworks(incus, this.#run.environment));
  }

  /** The container was created, started or changed: what the survey knows of it is old. */
  provisioned(target: PreparedContainer): void {
    this.#provisioned.add(target.instance);
  }

  /** Whether the container was there when the deploy began: one that was just made has nothing to lose. */
  async wasThere(target: PreparedContainer): Promise<boolean> {
    return (await this.#instance(target)) !== undefined;
  }

  /** The release whose deploy has completed on the container last; nothing where none has. */
  async completedRelease(target: PreparedContainer): Promise<string | undefined> {
    const instance = await this.#instance(target);
    return instance && INSTANCES.marksOf(instance).release;
  }

  async #instance(target: PreparedContainer) {
    const { incus } = await this.survey();
    return findInstance(incus, placeOf(target));
  }

  /** Which of its containers are here, now: those that it found to be ours, and those that it has provisioned. */
  async places(): Promise<Place[]> {
    const seen = await this.surveyed();
    if (seen === undefined) return [];
    const here = this.#run.targets.filter((target) => {
      const instance = findInstance(seen.incus, placeOf(target));
      const ours = instance !== undefined && INSTANCES.ownership(instance, this.#run.environment.name).ours;
      return target.host === this.name && (ours || this.#provisioned.has(target.instance));
    });
    return here.map(({ project, instance, host }) => ({ project, container: instance, host }));
  }

  /** Calls of this host so far; none when it was not reached. */
  async roundTrips(): Promise<number> {
    if (this.#survey === undefined) return 0;
    return this.#run.host(this.name).then(
      ({ roundTrips }) => roundTrips,
      () => 0,
    );
  }
}
