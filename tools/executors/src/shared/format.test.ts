import { describe, expect, it } from 'vitest';
import { heedFormat } from './format.ts';
import type { Invocation } from './run.ts';

const NEWER = { 'user.mooring.format': '2', 'user.mooring.tool': 'nx-mooring 0.9.0' };
const UUID = '0b6f4a86-0000-4000-8000-000000000001';

type Instance = Parameters<typeof heedFormat>[2][number];

/** An instance of the environment by its marks, as Incus lists it. */
function instance(name: string, more: Record<string, string> = {}): Instance {
  const marks = { 'user.mooring.environment': 'prod', 'user.mooring.instance': name, 'user.mooring.uuid': UUID };
  const config = { ...marks, 'volatile.uuid': UUID, ...more };
  return { name, project: 'default', status: 'Running', config, expanded_config: config } as unknown as Instance;
}

function heed(instances: readonly Instance[], purpose: 'change' | 'read'): string[] {
  const said: string[] = [];
  const targets = [
    { host: 'one', instance: 'redis' },
    { host: 'two', instance: 'cache' },
  ];
  const run = { environment: { name: 'prod' }, targets, progress: (line: string) => said.push(line) } as unknown as Invocation;
  heedFormat(run, 'one', instances, purpose);
  return said;
}

describe('containers of a newer format on a host', () => {
  it.each<[string, Instance]>([
    ['one that the workspace names', instance('redis', NEWER)],
    ['one that it names, which is not ours and may be taken over', instance('redis', { ...NEWER, 'user.mooring.uuid': 'another' })],
    ['one of the environment that it does not name any more', instance('postgres', NEWER)],
  ])('%s: a change is refused, and what reads is warned', (_, found) => {
    const told = `${found.name} is of format 2, by nx-mooring 0.9.0; nx-mooring 0.1.0 knows format 1`;
    expect(() => heed([instance('other'), found], 'change')).toThrow(`cannot change prod on host one: ${told}`);
    expect(heed([instance('other'), found], 'read')).toEqual([
      `WARNING: one: ${told}: what is shown may be wrong; upgrade nx-mooring to 0.9.0 or newer: npm i -D nx-mooring@latest`,
    ]);
  });

  it.each<[string, Instance]>([
    ['a copy, which has the marks of what it was copied from', instance('copy', { ...NEWER, 'user.mooring.instance': 'redis' })],
    ['one of another environment', instance('postgres', { ...NEWER, 'user.mooring.environment': 'staging' })],
  ])('%s says nothing', (_, found) => {
    expect(heed([instance('redis'), found], 'change')).toEqual([]);
    expect(heed([instance('redis'), found], 'read')).toEqual([]);
  });
});
