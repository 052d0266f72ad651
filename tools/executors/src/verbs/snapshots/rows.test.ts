import { describe, expect, it } from 'vitest';
import { writtenSinceFact } from '../../platforms/zfs/written.ts';
import { showSnapshots } from '../../report/snapshots.ts';
import type { DeployEntry } from '../../snapshots/history.ts';
import type { SetMember, SnapshotSet } from '../../snapshots/set.ts';
import { timeOfSeconds } from '../../snapshots/time.ts';
import { setRow } from './rows.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const NOW = 1_795_330_400;
const zfs = (instance: string, release: string, holds = 0, volume?: string): SetMember => ({
  ...{ kind: 'zfs', instance, project: 'p', snapshot: `pre-deploy-${release}`, cutAt: timeOfSeconds(NOW), createtxg: 1 },
  ...(volume === undefined ? {} : { volume }),
  ...{ dataset: `tank/${volume ?? instance}`, used: 1536, written: 0, holds, clones: [] },
});
const set = (release: string, secondsAgo: number, members: SetMember[], missing: string[] = []): SnapshotSet => ({
  ...{ id: `run-${release[0]}`, name: `pre-deploy-${release}`, release, environment: 'prod', tool: '0', intended: [] },
  ...{ cutAt: timeOfSeconds(NOW - secondsAgo), members, missing },
});
const newer = set(B, 90, [zfs('redis', B), zfs('redis', B, 1, 'blobs')]);
const older = set(
  A,
  300_000,
  [{ kind: 'incus', instance: 'redis', project: 'p', pool: 'lab', snapshot: `pre-deploy-${A}`, cutAt: '' }],
  ['minio'],
);
const history: DeployEntry[] = [{ release: A, result: 'ok', run: 'run-a', at: '2026-11-20T00:00:00Z' }];
const written = new Map([
  [`tank/redis@pre-deploy-${B}`, 1_048_576],
  [`tank/blobs@pre-deploy-${B}`, 524_288],
]);
const rows = (entries: DeployEntry[]) => [newer, older].map((one) => setRow(one, [newer, older], entries, written, new Date(NOW * 1000)));

describe('the restore points of an environment', () => {
  it('are told with what is known, and what is not known as unknown', () => {
    const strays = [{ where: 'redis/x', because: 'it has no mark user.mooring.set' }];
    const without = ['NO RESTORE POINT for minio/cache: pool d is a dir pool'];
    expect(showSnapshots([{ host: 'local', sets: rows(history), strays, without }])).toMatchInlineSnapshot(`
      "RESTORE POINT            BEFORE RELEASE  CUT                      AGE    USED     WRITTEN SINCE  HELD  LAST GOOD  VOLUMES
      pre-deploy-bbbbbbbbbbbb  bbbbbbbbbbbb    2026-11-22 06:51:50 UTC  1 min  3.0 KiB  1.5 MiB        held  -          2
      pre-deploy-aaaaaaaaaaaa  aaaaaaaaaaaa    2026-11-18 19:33:20 UTC  3 d    unknown  unknown        -     yes        1, minio missing
      NO RESTORE POINT for minio/cache: pool d is a dir pool
      not ours: redis/x: it has no mark user.mooring.set"
    `);
    expect(showSnapshots([{ host: 'local', sets: [], strays: [], without: [] }])).toBe('there are no restore points');
  });

  it('are not called good or bad where the log tells of no completed deploy', () => {
    expect(rows([]).map(({ lastGood }) => lastGood)).toEqual([null, null]);
    expect(rows(history).map(({ lastGood }) => lastGood)).toEqual([false, true]);
  });
});

describe('what was written since', () => {
  const fact = writtenSinceFact(['tank/redis', 'tank/x y'], [`pre-deploy-${A}`, `pre-deploy-${B}`]);
  const answer = (stdout: string, code = 0) => ({ command: fact.command, code, stdout, stderr: '' });

  it('is asked for all datasets and snapshots at once', () => {
    expect(fact.command.argv.slice(-3)).toEqual([`written@pre-deploy-${A},written@pre-deploy-${B}`, 'tank/redis', 'tank/x y']);
    const lines = [
      `tank/redis\twritten@pre-deploy-${A}\t4096`,
      `tank/redis\twritten@pre-deploy-${B}\t-`,
      `tank/x y\twritten@pre-deploy-${B}\t0`,
    ];
    expect([...fact.parse(answer(`${lines.join('\n')}\n`))]).toEqual([
      [`tank/redis@pre-deploy-${A}`, 4096],
      [`tank/x y@pre-deploy-${B}`, 0],
    ]);
  });

  it.each([`tank/redis\twritten@pre-deploy-${A}\t4K\n`, `tank/other\twritten@pre-deploy-${A}\t1\n`, 'x\n'])('stops at %j', (line) => {
    expect(() => fact.parse(answer(line))).toThrow('not known');
    expect(() => fact.parse(answer('', 1))).toThrow('could not read what was written');
  });
});
