import { describe, expect, it } from 'vitest';
import type { CommandResult, Host } from '../engine/command.ts';
import { INCUS } from '../platforms/incus/command.ts';
import type { PruneDecision } from '../snapshots/prune.ts';
import type { SetMember, SnapshotSet } from '../snapshots/set.ts';
import { pruneSets } from './prune-sets.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const name = `pre-deploy-${A}`;

/** A host that answers by the command line and throws at one that nobody expected. */
function fakeHost(answers: Record<string, Partial<CommandResult>>) {
  const asked: string[][] = [];
  const host: Host = {
    name: 'fake',
    async run(batch) {
      asked.push(batch.map(({ argv }) => argv.join(' ')));
      return batch.map((command) => {
        const key = Object.keys(answers).find((prefix) => command.argv.join(' ').startsWith(prefix));
        if (key === undefined) throw new Error(`nobody expected: ${command.argv.join(' ')}`);
        return { command, code: 0, stdout: '', stderr: '', ...answers[key] };
      });
    },
    putFile: () => Promise.reject(new Error('nobody expected a file')),
  };
  return { host, asked };
}

describe('prune', () => {
  const zfs = (instance: string, snapshot: string): SetMember => ({
    kind: 'zfs',
    instance,
    project: 'default',
    dataset: `tank/containers/${instance}`,
    snapshot,
    cutAt: '',
    createtxg: 1,
    used: 0,
    written: 0,
    holds: 0,
    clones: [],
  });
  const incus = (instance: string, snapshot: string): SetMember => ({
    kind: 'incus',
    instance,
    project: 'default',
    pool: 'lab',
    snapshot,
    cutAt: '',
  });
  const doomed = (id: string, release: string, members: SetMember[]): PruneDecision => ({
    ...{ keep: false, because: [] },
    set: {
      id,
      release,
      name: `pre-deploy-${release}`,
      environment: 'prod',
      tool: '0',
      intended: [],
      missing: [],
      cutAt: '',
      members,
    } satisfies SnapshotSet,
  });
  const one = doomed('r1', A, [zfs('redis', name), zfs('minio', name)]);
  const two = doomed('r2', B, [zfs('redis', `pre-deploy-${B}`), zfs('minio', `pre-deploy-${B}`)]);

  it('asks nothing when nothing goes', async () => {
    const { host, asked } = fakeHost({});
    const report = await pruneSets(
      host,
      [{ ...one, keep: true, because: ['it is held'] }],
      [{ where: 'redis/x', because: 'it has no mark' }],
    );
    expect(asked).toEqual([]);
    expect(report.sentences).toEqual(['keep pre-deploy-aaaaaaaaaaaa: it is held', 'keep redis/x: it is not ours: it has no mark']);
  });

  it('destroys in one round trip, one call a dataset', async () => {
    const { host, asked } = fakeHost({ 'zfs destroy': {} });
    const report = await pruneSets(host, [one, two]);
    expect(asked).toEqual([['redis', 'minio'].map((instance) => `zfs destroy tank/containers/${instance}@${name},pre-deploy-${B}`)]);
    expect(report.sentences.slice(2)).toEqual(['destroyed pre-deploy-aaaaaaaaaaaa', 'destroyed pre-deploy-bbbbbbbbbbbb']);
  });

  it('keeps the one that is held meanwhile, goes on with the rest, and reports it', async () => {
    const held = `cannot destroy snapshot tank/containers/redis@${name}: it's being held. Run 'zfs holds -r tank/containers/redis@${name}' to see holders.\n`;
    const { host, asked } = fakeHost({ [`zfs destroy tank/containers/redis@${name},`]: { code: 1, stderr: held }, 'zfs destroy': {} });
    const report = await pruneSets(host, [one, two]);
    expect(asked[1]).toEqual([`zfs destroy tank/containers/redis@pre-deploy-${B}`]);
    expect(report.destroyed.map(({ id }) => id)).toEqual(['r2']);
    expect(report.stuck).toEqual([{ where: `tank/containers/redis@${name}`, because: expect.stringContaining("it's being held") }]);
  });

  it('tries each for itself when ZFS names none, and is not fatal', async () => {
    const { host, asked } = fakeHost({ 'zfs destroy': { code: 1, stderr: 'cannot destroy snapshots: permission denied\n' } });
    const report = await pruneSets(host, [one, two]);
    expect(asked[1]).toHaveLength(4);
    expect(report.destroyed).toEqual([]);
    expect(report.sentences).toContain(
      `could not destroy tank/containers/minio@${name}, it stays: cannot destroy snapshots: permission denied`,
    );
  });

  it('takes what is gone already for destroyed', async () => {
    const gone = {
      code: 1,
      stderr: 'Error: Failed to fetch snapshot "x" of instance "redis" in project "default": Instance_snapshot not found\n',
    };
    const { host, asked } = fakeHost({
      [`${INCUS} snapshot delete redis`]: gone,
      [`${INCUS} snapshot delete minio`]: { code: 1, stderr: 'Error: boom\n' },
    });
    const report = await pruneSets(host, [doomed('r1', A, [incus('redis', name)]), doomed('r2', B, [incus('minio', `pre-deploy-${B}`)])]);
    expect(asked).toHaveLength(1);
    expect(report).toMatchObject({ destroyed: [{ id: 'r1' }], stuck: [{ where: `minio/pre-deploy-${B}`, because: 'Error: boom' }] });
  });
});
