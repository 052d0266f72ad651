import type { Host } from '../../engine/command.ts';
import type { Instance } from '../../engine/instance.ts';
import type { Census, Health } from '../../engine/service.ts';
import { hostFromTransport } from '../../engine/transport.ts';
import { INSTANCES } from '../../shared/backends.ts';
import type { Invocation } from '../../shared/run.ts';
import type { Survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { shortName } from '../../snapshots/name.ts';
import { secondsBetween, sortableTime } from '../../snapshots/time.ts';
import { count, doAll, removeNow, untilHealthy } from './copy.ts';
import type { DrillReport } from './drilled.ts';
import { leftOver, notProved } from './failures.ts';
import type { DrillOptions } from './options.ts';
import { type DrillPlan, type Point, planDrill } from './plan.ts';

/** What a drill takes from the world besides its hosts. */
export type DrillWorld = {
  readonly runId: string;
  /** 3 random bytes: the end of the instance's name. */
  readonly random: Uint8Array;
  readonly now: () => Date;
  /** A clock that only goes forward, in seconds. */
  readonly seconds: () => number;
};

const HEALTHY_MS = 300_000;
const STOP_SECONDS = 120;

/** What a drill is about. */
export type Subject = {
  readonly target: PreparedContainer;
  readonly live: Instance;
  readonly point: Point;
  readonly notes: readonly string[];
};

/** Makes the copy, asks it, and takes it away in any case, unless it is to be kept. @throws MooringError */
export async function performDrill(
  run: Invocation,
  seen: Survey,
  subject: Subject,
  options: DrillOptions,
  world: DrillWorld,
): Promise<DrillReport> {
  const { target, point } = subject;
  const { host } = seen;
  const { project } = target.incus;
  const name = INSTANCES.drills.nameOf(target.instance, world.random);
  const plan = planOf(run, seen, subject, options, name);
  let failed = true;
  try {
    run.progress(`${target.project}: drill: ${shortName(point.set.name)} on ${name}`);
    const proof = await prove(run, seen, target, { name, plan }, options, world);
    failed = false;
    const remove = options.keep ? undefined : await stopwatch(world.seconds)(() => removeNow(host, plan, name));
    return reportOf(subject, proof, { name, without: plan.without, kept: options.keep, remove: remove?.seconds, now: world.now() });
  } catch (error) {
    throw failed ? notProved(error, point, name, options.keep, project) : leftOver(error, point, name);
  } finally {
    // Its own failure must not hide why the drill failed; the next drill takes away what is left.
    if (failed && !options.keep) {
      await removeNow(host, plan, name).catch((error: unknown) =>
        run.progress(`${name} is left: ${error instanceof Error ? error.message : String(error)}; the next drill takes it away`),
      );
    }
  }
}

function planOf(run: Invocation, seen: Survey, { target, live, point }: Subject, { keep }: DrillOptions, name: string): DrillPlan {
  const { project } = target.incus;
  const { snapshot } = point.member;
  const spec = { name, project, live, environment: run.environment.name, run: run.runId, snapshot, keep };
  return planDrill(spec, point.member, INSTANCES.rootPool(live, seen.incus.pools), STOP_SECONDS);
}

type Timed<T> = { readonly value: T; readonly seconds: number };

/** What the copy told, and how long each part took. */
type Proof = {
  readonly clone: Timed<void>;
  readonly start: Timed<void>;
  readonly health: Timed<Health>;
  readonly census: Timed<Census | undefined>;
  readonly stop: Timed<void>;
};

/** The copy is made, started, asked and stopped. */
async function prove(
  run: Invocation,
  { host, incus }: Survey,
  target: PreparedContainer,
  { name, plan }: { readonly name: string; readonly plan: DrillPlan },
  options: DrillOptions,
  world: DrillWorld,
): Promise<Proof> {
  const desired = target.desired(INSTANCES.clientNetworks(incus, run.environment));
  const timed = stopwatch(world.seconds);
  const clone = await timed(() => doAll(run, host, plan.clone, `${name} could not be made`));
  const start = await timed(() => doAll(run, host, plan.start, `${name} did not start`));
  const inside: Host = hostFromTransport(INSTANCES.transportInside(host.transport, { instance: name, project: target.incus.project }));
  const health = await timed(() => untilHealthy(run, inside, target, desired, (options.timeout ?? HEALTHY_MS) / 1000, world.seconds));
  const census = await timed(() => count(run, inside, target, desired));
  const stop = await timed(() => doAll(run, host, [plan.stop], `${name} did not stop`));
  return { clone, start, health, census, stop };
}

/** The drill as plain data. Pure. */
function reportOf(
  { target, point: { set }, notes }: Subject,
  { clone, start, health, census, stop }: Proof,
  copy: {
    readonly name: string;
    readonly without: readonly string[];
    readonly kept: boolean;
    readonly remove: number | undefined;
    readonly now: Date;
  },
): DrillReport {
  return {
    container: target.project,
    instance: target.instance,
    host: target.host,
    snapshot: set.name,
    set: set.id,
    release: set.release,
    cutAt: set.cutAt,
    age: Math.max(0, secondsBetween(set.cutAt, sortableTime(copy.now.toISOString()))),
    service: target.service.name,
    version: health.value.version,
    health: health.value.detail,
    census: census.value?.entries,
    proves: census.value?.proves,
    seconds: {
      clone: clone.seconds,
      start: start.seconds,
      health: health.seconds,
      census: census.seconds,
      stop: stop.seconds,
      remove: copy.remove,
    },
    rollback: stop.seconds + clone.seconds + start.seconds + health.seconds,
    without: copy.without,
    drill: copy.name,
    kept: copy.kept,
    notes,
  };
}

function stopwatch(clock: () => number) {
  return async <T>(work: () => Promise<T>): Promise<{ value: T; seconds: number }> => {
    const began = clock();
    const value = await work();
    return { value, seconds: clock() - began };
  };
}
