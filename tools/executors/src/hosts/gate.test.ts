import { expect, test } from 'vitest';
import { gate } from './gate.ts';

test('never more at once than allowed, in order, and a failure makes room too', async () => {
  const room = gate(3);
  const begun: number[] = [];
  let most = 0;
  const work = (i: number) =>
    room.enter(async () => {
      begun.push(i);
      most = Math.max(most, room.running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (i % 2 === 0) throw new Error(`no ${i}`);
      return i;
    });
  const all = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => work(i)));
  expect(all.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message))).toEqual([
    'no 0',
    1,
    'no 2',
    3,
    'no 4',
    5,
    'no 6',
    7,
    'no 8',
    9,
  ]);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(most).toBe(3);
  expect(room.running).toBe(0);
});

test('a lowered gate lets fewer through, but always one', async () => {
  const room = gate(3);
  room.lower(0);
  room.lower(5);
  let most = 0;
  const work = async () => {
    most = Math.max(most, room.running);
  };
  await Promise.all(Array.from({ length: 4 }, () => room.enter(work)));
  expect(most).toBe(1);
});
