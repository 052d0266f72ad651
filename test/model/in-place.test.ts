import { expect, test } from 'vitest';
import { ROLLBACK_KEY } from '../../tools/executors/src/platforms/incus/restore.ts';
import { sha } from './deploy.ts';
import { CONTAINERS, onZfs } from './process.ts';
import { OLD, worldOfTwoReleases } from './two-releases.ts';
import { rollBack } from './verb.ts';
import type { World } from './world/world.ts';

const SPEC = { before: sha('b'), value: OLD, inPlace: true, discardNewer: ['present'] };

function instancesOf(world: World) {
  return CONTAINERS.map((container) => {
    const instance = world.incus.get(`m-${container}`, 'default');
    const content = world.incus.contentOf(instance);
    return { name: instance.name, config: instance.config, content, wentBack: content.get('value') === OLD };
  });
}

const start = await worldOfTwoReleases();
start.named.add('present');
const whole = start.clone();
const { commands } = await rollBack(onZfs, whole, SPEC);

test('a roll-back in place that was killed and is finished leaves alone what users have written to the state gone back to', async () => {
  let written = 0;
  for (let at = 1; at <= commands; at++) {
    const world = start.clone();
    await rollBack(onZfs, world, SPEC, { at, way: 'process gone' });
    world.writeEverywhere();
    const before = instancesOf(world).filter(({ wentBack }) => wentBack);
    world.pass(100);
    const { result } = await rollBack(onZfs, world, SPEC);
    expect(result?.success, result?.output).toBe(true);
    const after = instancesOf(world);
    for (const { name, content } of before) {
      const now = after.find((one) => one.name === name)?.content;
      const facts = [...content.keys()].filter((key) => key.startsWith('fact ') && !whole.lost().includes(key));
      expect(
        facts.filter((fact) => !now?.has(fact)),
        `process gone at command ${at}`,
      ).toEqual([]);
      written += facts.length;
    }
  }
  expect(written).toBeGreaterThan(0);
});

test('a roll-back in place that failed tells of each container which state it has', async () => {
  let mixed = 0;
  for (let at = 1; at <= commands; at++) {
    const world = start.clone();
    const { result } = await rollBack(onZfs, world, SPEC, { at, way: 'broken off' });
    if (result?.success !== false || !result.output.includes('The roll-back failed')) continue;
    const instances = instancesOf(world);
    for (const { name, wentBack } of instances)
      expect(result.output, `broken off at command ${at}`).toContain(
        `${name} runs on ${wentBack ? 'the state of pre-deploy-bbbbbbbbbbbb' : 'the old state'}`,
      );
    expect(
      instances.flatMap(({ config }) => config[ROLLBACK_KEY] ?? []),
      'no run is under way any more',
    ).toEqual([]);
    const back = instances.some(({ wentBack }) => wentBack);
    expect(result.output.includes('The OLD state runs'), `broken off at command ${at}`).toBe(!back);
    if (back && instances.some(({ wentBack }) => !wentBack)) mixed++;
  }
  expect(mixed).toBeGreaterThan(0);
});
