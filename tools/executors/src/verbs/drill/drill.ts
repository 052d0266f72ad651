import { appendAudit } from '../../audit/audit.ts';
import type { Host } from '../../engine/command.ts';
import { MooringError, NotPartError } from '../../engine/errors.ts';
import { findInstance, type Instance } from '../../engine/instance.ts';
import { hostFromTransport } from '../../engine/transport.ts';
import { holdLease } from '../../lease/hold.ts';
import { drillName, drillsOf, removeDrill } from '../../platforms/incus/drill.ts';
import { rootPool } from '../../platforms/incus/facts.ts';
import { guestTransport } from '../../platforms/incus/inside.ts';
import { clientNetworks } from '../../platforms/incus/networks.ts';
import { datasetOf } from '../../platforms/zfs/dataset.ts';
import { placeOf } from '../../shared/guest-look.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { openRun, type Run } from '../../shared/run.ts';
import { inStep } from '../../shared/stages.ts';
import { type Survey, survey } from '../../shared/survey.ts';
import type { Target } from '../../shared/target.ts';
import { deployHistory } from '../../snapshots/history.ts';
import { shortName } from '../../snapshots/name.ts';
import type { Volume } from '../../snapshots/set.ts';
import { secondsBetween, sortableTime } from '../../snapshots/time.ts';
import { count, doAll, removeNow, untilHealthy } from './copy.ts';
import type { Drilled, DrillReport } from './drilled.ts';
import { leftOver, notProved, notThere } from './failures.ts';
import type { DrillOptions } from './options.ts';
import { choosePoint, type Point, planDrill } from './plan.ts';

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

/**
 * Proves that a restore point can be restored: a copy of it runs on an instance of its own, without a network, its service starts and
 * is asked for its health and for what it holds. The live container is only read. The copy is taken away in any case, unless it is to
 * be kept; what a killed drill has left is taken away by the next one of that container.
 *
 * It needs no lease of the environment: a deploy may go on beside it, and prune leaves what has a clone. One drill of a container at a
 * time is ensured by a lease of its own, and so what another one left is known to be left.
 */
export async function drill(request: VerbRequest<DrillOptions>, world: DrillWorld): Promise<Answer<Drilled>> {
  const run = await openRun({ ...request, runId: world.runId, print: (line) => request.print(line) });
  try {
    const targets = run.targets.filter(({ project }) => request.projects.includes(project));
    const [target] = targets;
    if (target === undefined) throw new NotPartError(`${request.projects.join(', ')}: not part of ${run.environment.name}`);
    const report = await drillOne(run, target, request.options, world).catch((error: unknown) => {
      throw inStep(error, 'drill').with({ host: target.host, instance: target.instance, page: 'drill' });
    });
    return { success: true, data: { report, project: target.incus.project }, clean: run.clean };
  } catch (error) {
    throw run.clean.error(error);
  } finally {
    await run.close();
  }
}

async function drillOne(run: Run, target: Target, options: DrillOptions, world: DrillWorld): Promise<DrillReport> {
  const host = await run.host(target.host);
  const { user, machine } = run.world.who();
  const lease = await holdLease(
    host.spare,
    {
      environment: `${run.environment.name}/drill-${target.project}`,
      runId: run.runId,
      who: user,
      from: machine,
      release: 'drill',
      take: options.leaseTake,
    },
    { waitMs: options.leaseWait ?? 0, progress: run.progress, signal: run.signal },
  );
  lease.signal.addEventListener('abort', () => run.abort(lease.signal.reason));
  try {
    const seen = await survey(run, target.host, [], undefined, 'change');
    const live = findInstance(seen.incus, placeOf(target));
    const volume = volumeOf(seen, target);
    if (live === undefined || volume === undefined) throw notThere(seen, target);
    const notes = await removeLeftovers(run, seen, target, volume);
    const named = { instance: target.instance, project: target.project, environment: run.environment.name };
    const point = choosePoint(seen.points.sets, deployHistory(seen.audit), named, options.to);
    return await audited(run, host, target, point, () => performDrill(run, seen, { target, live, point, notes }, options, world));
  } finally {
    // It runs out by itself. Its failure must not hide what the drill proved, or why it failed.
    await lease.release().catch(() => {});
  }
}

type Subject = {
  readonly target: Target;
  readonly live: Instance;
  readonly point: Point;
  readonly notes: readonly string[];
};

async function performDrill(run: Run, seen: Survey, subject: Subject, options: DrillOptions, world: DrillWorld): Promise<DrillReport> {
  const { target, live, point, notes } = subject;
  const { host } = seen;
  const { project } = target.incus;
  const name = drillName(target.instance, world.random);
  const spec = {
    name,
    project,
    live,
    environment: run.environment.name,
    run: run.runId,
    snapshot: point.member.snapshot,
    keep: options.keep,
  };
  const plan = planDrill(spec, point.member, rootPool(live, seen.incus.pools), STOP_SECONDS);
  const desired = target.desired(clientNetworks(seen.incus, run.environment));
  const timed = stopwatch(world.seconds);
  let failed = true;
  try {
    run.progress(`${target.project}: drill: ${shortName(point.set.name)} on ${name}`);
    const clone = await timed(() => doAll(run, host, plan.clone, `${name} could not be made`));
    const start = await timed(() => doAll(run, host, plan.start, `${name} did not start`));
    const guest = hostFromTransport(guestTransport(host.transport, { instance: name, project }));
    const health = await timed(() => untilHealthy(run, guest, target, desired, (options.timeout ?? HEALTHY_MS) / 1000, world.seconds));
    const census = await timed(() => count(run, guest, target, desired));
    const stop = await timed(() => doAll(run, host, [plan.stop], `${name} did not stop`));
    failed = false;
    const remove = options.keep ? undefined : await timed(() => removeNow(host, plan, name));
    return {
      container: target.project,
      instance: target.instance,
      host: target.host,
      snapshot: point.set.name,
      set: point.set.id,
      release: point.set.release,
      cutAt: point.set.cutAt,
      age: Math.max(0, secondsBetween(point.set.cutAt, sortableTime(world.now().toISOString()))),
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
        remove: remove?.seconds,
      },
      rollback: stop.seconds + clone.seconds + start.seconds + health.seconds,
      without: plan.without,
      drill: name,
      kept: options.keep,
      notes,
    };
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

/** Takes away what earlier drills of this container have left. Nobody else is at one: this run has the lease of its drills. */
async function removeLeftovers(run: Run, seen: Survey, target: Target, volume: Volume): Promise<string[]> {
  const left = drillsOf(seen.incus.instances, run.environment.name, target.instance);
  const notes: string[] = [];
  for (const one of left) {
    if (one.kept) {
      notes.push(`${one.name} was kept by run ${one.run} (${shortName(one.snapshot)}) and is still there`);
      continue;
    }
    const dataset = volume.kind === 'zfs' ? datasetOf(rootPoolOf(seen, volume), target.incus.project, one.name) : undefined;
    await removeNow(seen.host, { remove: removeDrill(one, target.incus.project, dataset) }, one.name);
    const sentence = `removed ${one.name}, left by run ${one.run}`;
    run.progress(`${target.project}: drill: ${sentence}`);
    notes.push(sentence);
  }
  return notes;
}

function rootPoolOf(seen: Survey, volume: Volume) {
  const pool = seen.incus.pools.find(({ name }) => name === volume.pool);
  if (pool === undefined) throw new MooringError(`Incus does not list the pool ${volume.pool}`);
  return pool;
}

function volumeOf(seen: Survey, { instance }: Target): Volume | undefined {
  return seen.coverage.volumes.find((volume) => volume.instance === instance && volume.volume === undefined);
}

/** Writes the drill's end to the audit log, whatever it was. */
async function audited<T>(run: Run, host: Host, target: Target, { set }: Point, work: () => Promise<T>): Promise<T> {
  const entry = { run: run.runId, who: run.who, what: 'drill', container: target.instance, release: set.release, set: set.id } as const;
  const write = (result: string, detail: string) => host.run([appendAudit(run.environment.name, [{ ...entry, result, detail }])]);
  const done = await work().catch(async (error: unknown) => {
    await write('failed', run.clean.text(error instanceof Error ? error.message : String(error))).catch(() => {});
    throw error;
  });
  await write('ok', `${set.name} can be restored`);
  return done;
}

function stopwatch(clock: () => number) {
  return async <T>(work: () => Promise<T>): Promise<{ value: T; seconds: number }> => {
    const began = clock();
    const value = await work();
    return { value, seconds: clock() - began };
  };
}
