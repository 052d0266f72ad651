import { describe, expect, it } from 'vitest';
import { read } from '../../engine/command.ts';
import { InputError } from '../../engine/errors.ts';
import type { Volume } from '../../snapshots/set.ts';
import { INCUS, incus } from './command.ts';
import { cutInIncus, deleteInIncus, isGone, isTakenInIncus } from './snapshots.ts';
import { foundOnVolume, volumeSnapshotsCommand } from './volumes.ts';

const A = '0123456789abcdef0123456789abcdef01234567';
const name = `pre-deploy-${A}`;
const root: Volume = { kind: 'incus', instance: 'dev-minio', project: 'p', uuid: 'uuid-m', pool: 'lab' };
const blobs = { ...root, volume: 'blobs' } as const;
const keys = {
  'user.mooring.set': 'run-1',
  'user.mooring.set-name': name,
  'user.mooring.set-release': A,
  'user.mooring.set-environment': 'local',
  'user.mooring.set-tool': '0.1.0',
  'user.mooring.set-members': 'dev-minio,dev-minio/blobs',
  'user.mooring.set-uuid': 'uuid-m',
};

/** As Incus 6.0.4 answers for a custom volume on btrfs. */
function answer(snapshot: string, config: Record<string, string>, expires: string | null = null, code = 0) {
  const one = {
    config,
    content_type: '',
    created_at: '2026-11-24T17:01:45.858232721Z',
    description: '',
    expires_at: expires,
    name: snapshot,
  };
  return { command: volumeSnapshotsCommand(blobs), code, stdout: JSON.stringify([one]), stderr: '' };
}
const found = (...args: Parameters<typeof answer>) => foundOnVolume(answer(...args), blobs, 'local');

describe('a custom volume that Incus cuts', () => {
  it('gets the keys, with whose it is, and then its snapshot', () => {
    const mark = { id: 'run-1', release: A, environment: 'local', tool: '0.1.0' };
    const [, keysOfIt, , cut] = cutInIncus([root, blobs], { name, mark, members: [root, blobs] }).map(({ argv }) => argv.join(' '));
    const values = Object.entries(keys).map(([key, value]) => `${key}=${value}`);
    expect(keysOfIt).toBe(`${INCUS} storage volume set lab blobs --project p -- ${values.join(' ')}`);
    expect(cut).toBe(`${INCUS} storage volume snapshot create lab blobs ${name} --no-expiry --project p`);
    expect(() => cutInIncus([{ ...blobs, volume: '-x' }], { name, mark, members: [blobs] })).toThrow(InputError);
  });

  it('has restore points that are proved by the keys that the snapshot kept', () => {
    expect(volumeSnapshotsCommand(blobs)).toEqual(
      read(incus('query', '/1.0/storage-pools/lab/volumes/custom/blobs/snapshots?recursion=1&project=p')),
    );
    expect(found(`blobs/${name}`, keys)).toEqual({
      members: [
        {
          mark: { id: 'run-1', release: A, environment: 'local', tool: '0.1.0', intended: ['dev-minio', 'dev-minio/blobs'] },
          member: {
            ...{ kind: 'incus', keepsPresent: true, instance: 'dev-minio', volume: 'blobs', project: 'p', pool: 'lab', snapshot: name },
            cutAt: '2026-11-24T17:01:45.858232721Z',
          },
        },
      ],
      strays: [],
      taken: [name],
    });
    expect(found(`blobs/${name}`, keys, '2026-12-01T00:00:00Z').members[0]?.member).toMatchObject({ expires: '2026-12-01T00:00:00Z' });
  });

  it.each([
    ['of another container', { ...keys, 'user.mooring.set-uuid': 'old' }, 'cut of another container'],
    ['of another volume', { ...keys, 'user.mooring.set-members': 'dev-minio,dev-minio/other' }, 'does not name dev-minio/blobs'],
    ['of another environment', { ...keys, 'user.mooring.set-environment': 'prod' }, 'environment prod'],
    ['made by hand later', { ...keys, 'user.mooring.set-name': 'x' }, 'made by hand later'],
    ['without keys', {}, 'it has no mark user.mooring.set'],
  ])('has none that is %s', (_, config, because) => {
    expect(found(`blobs/${name}`, config)).toMatchObject({
      members: [],
      strays: [{ where: `dev-minio/blobs/${name}`, because: expect.stringContaining(because) }],
    });
  });

  it('stops at an answer that is not known, and at a volume that is not there', () => {
    expect(() => found(`other/${name}`, keys)).toThrow('a snapshot of another volume');
    expect(() => found(`blobs/${name}`, keys, null, 1)).toThrow('did not report the snapshots of the volume dev-minio/blobs');
    expect(() => foundOnVolume({ ...answer('', {}), stdout: '[{}]' }, blobs, 'local')).toThrow('not known');
  });

  it('is pruned by name; what Incus 6.0.4 says when it is gone or taken is understood', () => {
    const member = { ...blobs, snapshot: name, cutAt: '' };
    expect(deleteInIncus(member).argv.join(' ')).toBe(`${INCUS} storage volume snapshot delete lab blobs ${name} --project p`);
    expect(() => deleteInIncus({ ...member, snapshot: 'by-hand' })).toThrow(InputError);
    const said = (stderr: string) => ({ ...answer('', {}), code: 1, stderr });
    expect(isGone(said('Error: Storage pool volume not found\n'))).toBe(true);
    expect(isTakenInIncus(said(`Error: Snapshot "${name}" already in use\n`))).toBe(true);
  });
});
