import { afterAll, expect, test } from 'vitest';
import { MooringError } from '../../tools/executors/src/engine/errors.ts';
import { validSeconds } from '../../tools/executors/src/lease/lease.ts';
import { isLook } from '../../tools/executors/src/shared/instance-look.ts';
import { hasChanges, planContainer } from '../../tools/executors/src/shared/plan-container.ts';
import { hostsOf, openRun } from '../../tools/executors/src/shared/run.ts';
import type { Survey } from '../../tools/executors/src/shared/survey.ts';
import { surveyLiving, surveyOf } from '../../tools/executors/src/shared/verb-run.ts';
import { verified } from '../../tools/executors/src/shared/verified.ts';
import { withMissing } from '../../tools/executors/src/snapshots/environment-set.ts';
import { runProcess, type Site } from './process.ts';
import { isOnZfs, snapshotNames, USE_CASES, type UseCase } from './use-cases.ts';
import { type Fate, WAYS } from './world/host.ts';
import type { World } from './world/world.ts';

let tried = 0;
afterAll(() => console.log(`kill points tried: ${tried}`));

/** Every verb on one kind of storage, or those of these names. */
export function killedEverywhere(site: Site, names?: readonly string[]): void {
  test.each(USE_CASES.filter(({ name, only }) => names?.includes(name) ?? (only === undefined || isOnZfs(site))))(
    '$name: the second run converges and nothing is lost',
    async (useCase) => {
      const start = await useCase.before(site);
      const whole = start.clone();
      const { commands, result } = await useCase.run(site, whole);
      expect(result?.success, result?.output).toBe(true);
      await expectSettled(site, useCase, start, whole, 'not killed');

      const failures: string[] = [];
      let points = 0;
      for (let at = 1; at <= commands; at++) {
        for (const way of WAYS) {
          const failure = await killed(site, useCase, start, { at, way }).then(
            () => undefined,
            (error: Error) => error.message,
          );
          if (failure !== undefined) failures.push(failure);
        }
        points++;
      }
      expect(failures.join('\n\n')).toBe('');
      expect(points).toBe(commands);
      tried += points * WAYS.length;
      console.log(`${useCase.name}: killed after each of its ${commands} commands, in ${WAYS.length} ways`);
    },
  );
}

async function killed(site: Site, useCase: UseCase, start: World, fate: Fate): Promise<void> {
  const world = start.clone();
  const where = `${fate.way} at command ${fate.at}`;
  const first = await useCase.run(site, world, fate);
  expect(first.commands, where).toBeGreaterThanOrEqual(fate.at);
  // What is told as a success is one: only a failing quiesce hook, and a lease that could not be given back, are no failure.
  if (first.result?.success) {
    for (const { files } of world.all) for (const path of files.called('lease')) files.remove(path);
    await expectSettled(site, useCase, start, world, `${where}, told as a success`);
  }
  world.writeEverywhere();
  world.pass(validSeconds + 1);
  const second = await useCase.run(site, world);
  expect(second.result?.success, `${where}\n${second.result?.output}`).toBe(true);
  await expectSettled(site, useCase, start, world, where);
}

async function expectSettled(site: Site, useCase: UseCase, start: World, world: World, where: string): Promise<void> {
  for (const host of world.all) {
    expect(host.faults, where).toEqual([]);
    expect(host.lost(), where).toEqual([]);
    expect(host.files.called('lease'), `${where}: a lease is left`).toEqual([]);
  }
  const seen = await look(site, world, useCase.value);
  const before = snapshotNames(start);
  // Where Incus restores, a cut is all that is kept of a state that was left: each attempt that leaves one cuts it.
  for (const kind of ['pre-deploy-', ...(isOnZfs(site) ? ['pre-rollback-'] : [])]) {
    const added = seen.whole.filter((name) => name.startsWith(kind) && !before.includes(name));
    expect(added.length, `${where}: ${added}`).toBeLessThanOrEqual(1);
  }
  if (useCase.configures) expect(seen.changes, where).toEqual([]);
  useCase.also?.(world, where, start);
  expect(seen.unhealthy, where).toEqual([]);
}

/** Looks as a process of its own: what would be changed, and who is not healthy. */
async function look(site: Site, world: World, value: string): Promise<{ whole: string[]; changes: string[]; unhealthy: string[] }> {
  const { result } = await runProcess(site, world, value, async (given) => {
    const run = await openRun(given);
    const { answers: surveys } = await surveyLiving(run, hostsOf(run.targets), run.targets);
    const flags = { create: [], adopt: [], newHosts: [], startSeconds: 1, random: run.world.random };
    const changes = run.targets
      .filter((target) => hasChanges(planContainer(target, surveyOf(surveys, target), flags)))
      .map(({ instance }) => instance);
    const unhealthy: string[] = [];
    for (const target of run.targets) {
      const found = surveyOf(surveys, target).instances.get(target.instance);
      const health = isLook(found) ? await verified(found).catch((error: unknown) => error) : found;
      if (health === undefined || health instanceof MooringError) unhealthy.push(target.instance);
    }
    return { whole: wholeSets(surveys), changes, unhealthy };
  });
  if (result === undefined) throw new Error('the look is gone');
  return result;
}

/** Names of the restore points that are whole on every host that they were to be cut on. */
function wholeSets(surveys: ReadonlyMap<string, Survey>): string[] {
  const hosts = withMissing([...surveys].map(([host, { points }]) => ({ host, points })));
  const whole = hosts.flatMap(({ points }) => points.sets.filter(({ missing }) => missing.length === 0));
  return [...new Set(whole.map(({ name }) => name))];
}
