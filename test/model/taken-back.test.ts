import { expect, test } from 'vitest';
import { sha } from './deploy.ts';
import { CONTAINERS, onZfs } from './process.ts';
import { NEW, OLD, worldOfTwoReleases } from './two-releases.ts';
import { type RollbackSpec, rollBack } from './verb.ts';
import type { World } from './world/world.ts';

const BACK: RollbackSpec = { before: sha('b'), value: OLD };

/** The world after a roll-back, which an undo then takes back. */
async function worldGoneBack(): Promise<World> {
  const world = await worldOfTwoReleases();
  const { result } = await rollBack(onZfs, world, BACK);
  expect(result?.success, result?.output).toBe(true);
  world.writeEverywhere();
  world.pass(100);
  return world;
}

const ways = ['broken off', 'command fails'] as const;
const cases = ways.flatMap((way) => [
  { way, verb: 'a roll-back', from: worldOfTwoReleases, spec: BACK, value: NEW },
  { way, verb: 'an undo', from: worldGoneBack, spec: { undo: true, value: NEW }, value: OLD },
]);

test.each(cases)(
  '$verb that failed at any of its commands ($way) has taken itself back: every container runs on the state that it had',
  async ({ way, from, spec, value }) => {
    const start = await from();
    const { commands } = await rollBack(onZfs, start.clone(), spec);
    let takenBack = 0;
    for (let at = 1; at <= commands; at++) {
      const world = start.clone();
      const { result } = await rollBack(onZfs, world, spec, { at, way });
      if (result?.success !== false || !result.output.includes('The roll-back failed')) continue;
      takenBack++;
      expect(result.output, `${way} at command ${at}`).toContain('The OLD state runs');
      for (const container of CONTAINERS) {
        const instance = world.incus.get(`m-${container}`, 'default');
        expect({ at, status: instance.status, value: world.incus.contentOf(instance).get('value') }).toEqual({
          at,
          status: 'Running',
          value,
        });
      }
      expect(world.lost()).toEqual([]);
    }
    expect(takenBack).toBeGreaterThan(10);
  },
);
