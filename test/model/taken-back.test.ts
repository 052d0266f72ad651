import { expect, test } from 'vitest';
import { deploy, sha } from './deploy.ts';
import { CONTAINERS, newWorld, onZfs } from './process.ts';
import { rollBack } from './verb.ts';

const [OLD, NEW] = ['one', 'two'];
const SPEC = { before: sha('b'), value: OLD };

test.each(['broken off', 'command fails'] as const)(
  'a roll-back that failed at any of its commands (%s) has taken itself back: every container runs on the state that it had',
  async (way) => {
    const start = newWorld(onZfs);
    for (const [release, value] of [
      [sha('a'), OLD],
      [sha('b'), NEW],
    ] as const) {
      const { result } = await deploy(onZfs, start, { release, value });
      expect(result?.success, result?.output).toBe(true);
      start.writeEverywhere();
      start.pass(10);
    }
    const { commands } = await rollBack(onZfs, start.clone(), SPEC);
    let takenBack = 0;
    for (let at = 1; at <= commands; at++) {
      const world = start.clone();
      const { result } = await rollBack(onZfs, world, SPEC, { at, way });
      if (result?.success !== false || !result.output.includes('The roll-back failed')) continue;
      takenBack++;
      expect(result.output, `${way} at command ${at}`).toContain('The OLD state runs');
      for (const container of CONTAINERS) {
        const instance = world.incus.get(`m-${container}`, 'default');
        expect({ at, status: instance.status, value: world.incus.contentOf(instance).get('value') }).toEqual({
          at,
          status: 'Running',
          value: NEW,
        });
      }
      expect(world.lost()).toEqual([]);
    }
    expect(takenBack).toBeGreaterThan(10);
  },
);
