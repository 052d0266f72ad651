import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { AppWorld } from '../app-world.ts';

/** The deploy script, killed before every command that changes something: the second run converges. */
let world: AppWorld;
let [first, second] = ['', ''];

beforeAll(async () => {
  world = new AppWorld();
  first = world.commit();
  expect((await world.run([])).code).toBe(0);
  second = world.commit();
  world.save();
});
beforeEach(() => world.restore());
afterAll(() => world.remove());

it('the next deploy makes the new release live, and a roll-back still goes to the old one', async () => {
  await world.run([]);
  const commands = world.commands;
  expect(commands).toBeGreaterThan(20);
  for (let at = 1; at <= commands; at++) {
    world.restore();
    expect((await world.run([], at)).code, `killed at ${at}`).toBeNull();
    expect(await world.run([]), `after a kill at ${at}`).toMatchObject({ code: 0 });
    expect(world.runs, `after a kill at ${at}`).toBe(second);
    expect(await world.releases(), `after a kill at ${at}`).toEqual([`  good ${first}`, `* good ${second}`]);
    if (at % 5 !== 0) continue;
    expect((await world.run(['rollback'])).code, `after a kill at ${at}`).toBe(0);
    expect(world.runs, `after a kill at ${at}`).toBe(first);
  }
}, 600_000);

it('while it goes back from a release that is not healthy: the old one is live and runs in the end', async () => {
  // Built before: how a build is killed is above.
  expect((await world.run(['step', 'build', `20260101T000000Z-${second.slice(0, 12)}`, second])).code).toBe(0);
  world.save();
  world.breaks(second);
  expect((await world.run([])).code).toBe(1);
  const commands = world.commands;
  expect(commands).toBeGreaterThan(10);
  for (let at = 1; at <= commands; at++) {
    world.restore();
    await world.run([], at);
    expect((await world.run([])).code, `after a kill at ${at}`).toBe(1);
    expect(world.runs, `after a kill at ${at}`).toBe(first);
    expect(await world.releases(), `after a kill at ${at}`).toContain(`* good ${first}`);
  }
}, 600_000);
