import type { DeployEntry } from '../tools/executors/src/snapshots/history.ts';
import type { SnapshotSet } from '../tools/executors/src/snapshots/set.ts';
import { timeOfSeconds } from '../tools/executors/src/snapshots/time.ts';

/** Releases, by the numbers that tests have for them. */
export const RELEASES = 'abcdef'.split('').map((letter) => letter.repeat(40));

type Shape = { release: number; held?: boolean; cloned?: boolean; half?: boolean; rollback?: boolean };

/** Sets s0, s1, … cut one second apart; given oldest first, returned newest first. */
export function sets(...shapes: Shape[]): SnapshotSet[] {
  const made = shapes.map(({ release, held, cloned, half, rollback }, i): SnapshotSet => {
    const sha = RELEASES[release] as string;
    const name = `pre-${rollback ? 'rollback' : 'deploy'}-${sha}${i > 0 ? `-${i + 1}` : ''}`;
    const cutAt = timeOfSeconds(1000 + i);
    const member = {
      kind: 'zfs',
      instance: 'redis',
      project: 'p',
      dataset: 'tank/redis',
      snapshot: name,
      cutAt,
      createtxg: i,
      used: 0,
      written: 0,
      holds: held ? 1 : 0,
      clones: cloned ? ['tank/drill'] : [],
    } as const;
    return {
      id: `s${i}`,
      name,
      release: sha,
      environment: 'prod',
      tool: '0.1.0',
      intended: half ? ['redis', 'minio'] : ['redis'],
      missing: half ? ['minio'] : [],
      cutAt,
      members: [member],
    };
  });
  return made.reverse();
}

/** The log's `ok` of the deploy that had set s<i>, at a time just after it. */
export function ok(i: number, release: number): DeployEntry {
  return {
    release: RELEASES[release] as string,
    result: 'ok',
    set: `s${i}`,
    run: `s${i}`,
    at: new Date((1000 + i) * 1000 + 500).toISOString(),
  };
}

/** The same of a deploy that failed. */
export function failed(i: number, release: number): DeployEntry {
  return { ...ok(i, release), result: 'failed' };
}

/** A part of sets on a host, with what they have on the other one written in their marks. */
export function onHost(host: string, other: string, all: readonly SnapshotSet[], history: readonly DeployEntry[]) {
  const instance = `redis-${host}`;
  const part = all.map((set) => ({
    ...{ ...set, intended: [instance], elsewhere: [`redis-${other}@${other}`], missing: [] },
    members: set.members.map((member) => ({ ...member, instance })),
  }));
  return { host, points: { sets: part }, history };
}
