import { expect, test } from 'vitest';
import { underWay, unreadable } from './under-way.ts';

test.each([
  ['Running', []],
  ['Stopped', []],
  ['Frozen', []],
  ['Error', ['redis is in the state Error']],
  ['Stopping', ['redis is in the state Stopping']],
])('an instance of ours in the state %s', (status, expected) => {
  expect(unreadable([{ name: 'redis', status }], ['redis'])).toEqual(expected);
  expect(unreadable([{ name: 'redis', status }], ['redis-old'])).toEqual([]);
});

test.each([
  ['Stopping instance', ['redis: stopping instance']],
  ['Starting instance', ['redis: starting instance']],
  ['Restoring snapshot', ['redis: restoring snapshot']],
  ['Executing command', []],
  ['Backing up instance', []],
])('an instance of ours to which Incus is doing: %s', (description, expected) => {
  const on = (name: string, project: string) => underWay([{ description, instances: [{ name, project }] }], 'default', ['redis']);
  expect(on('redis', 'default')).toEqual(expected);
  expect(on('redis', 'another')).toEqual([]);
  expect(on('redis-old', 'default')).toEqual([]);
});
