import { appendAudit } from '../../audit/audit.ts';
import type { Host } from '../../engine/command.ts';
import { NotPartError } from '../../engine/errors.ts';
import { findInstance } from '../../engine/instance.ts';
import { answered } from '../../shared/answer.ts';
import { placeOf } from '../../shared/instance-look.ts';
import { takeLease } from '../../shared/lease-keeper.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { type Invocation, openRun } from '../../shared/run.ts';
import { inStep } from '../../shared/stages.ts';
import { type Survey, survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { deployHistory } from '../../snapshots/history.ts';
import type { Volume } from '../../snapshots/set.ts';
import type { Drilled, DrillReport } from './drilled.ts';
import { notThere } from './failures.ts';
import { removeLeftovers } from './leftovers.ts';
import type { DrillOptions } from './options.ts';
import { type DrillWorld, performDrill } from './perform.ts';
import { choosePoint, type Point } from './plan.ts';

/**
 * Proves that a restore point can be restored: a copy of it runs on an instance of its own, without a network, its service starts and
 * is asked for its health and for what it holds. The live container is only read. The copy is taken away in any case, unless it is to
 * be kept; what a killed drill has left is taken away by the next one of that container.
 *
 * It needs no lease of the environment: a deploy may go on beside it, and prune leaves what has a clone. One drill of a container at a
 * time is ensured by a lease of its own, and so what another one left is known to be left.
 */
export function drill(request: VerbRequest<DrillOptions>, world: DrillWorld): Promise<Answer<Drilled>> {
  const opening = openRun({ ...request, runId: world.runId, print: (line) => request.print(line) });
  return answered(opening, async (run) => {
    const targets = run.targets.filter(({ project }) => request.projects.includes(project));
    const [target] = targets;
    if (target === undefined) throw new NotPartError(`${request.projects.join(', ')}: not part of ${run.environment.name}`);
    const report = await drillOne(run, target, request.options, world).catch((error: unknown) => {
      throw inStep(error, 'drill').with({ host: target.host, instance: target.instance, page: 'drill' });
    });
    return { success: true, data: { report, project: target.incus.project } };
  });
}

async function drillOne(run: Invocation, target: PreparedContainer, options: DrillOptions, world: DrillWorld): Promise<DrillReport> {
  const host = await run.host(target.host);
  const lease = await takeLease(run, host, `${run.environment.name}/drill-${target.project}`, options, 'drill');
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

function volumeOf(seen: Survey, { instance }: PreparedContainer): Volume | undefined {
  return seen.coverage.volumes.find((volume) => volume.instance === instance && volume.volume === undefined);
}

/** Writes the drill's end to the audit log, whatever it was. */
async function audited<T>(run: Invocation, host: Host, target: PreparedContainer, { set }: Point, work: () => Promise<T>): Promise<T> {
  const entry = { run: run.runId, who: run.who, what: 'drill', container: target.instance, release: set.release, set: set.id } as const;
  const write = (result: string, detail: string) => host.run([appendAudit(run.environment.name, [{ ...entry, result, detail }])]);
  const done = await work().catch(async (error: unknown) => {
    await write('failed', run.clean.text(error instanceof Error ? error.message : String(error))).catch(() => {});
    throw error;
  });
  await write('ok', `${set.name} can be restored`);
  return done;
}
