import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { read } from '../../engine/command.ts';
import { InputError } from '../../engine/errors.ts';
import { restorePoints, type SetMember, type Volume } from '../../snapshots/set.ts';
import { incus } from './command.ts';
import { expiry } from './set-marks.ts';
import { cutInIncus, deleteInIncus, foundInIncus, instancesCommand, isGone, parseInstances } from './snapshots.ts';

// Recorded on Incus 6.0.4, btrfs, `snapshots.expiry=1d` on dev-snap-a: a set cut by this tool of -a and -b, two snapshots of -a by hand, then `incus copy` of -a to -c.
const stdout = readFileSync(new URL('./transcripts/snapshots-6.0.4.json', import.meta.url), 'utf8');
const A = '0123456789abcdef0123456789abcdef01234567';
const name = `pre-deploy-${A}`;
const answer = (out: string, stderr = '', code = 0) => ({ command: instancesCommand('default'), stdout: out, stderr, code });
const instances = parseInstances(answer(stdout));

function volume(instance: string): Volume {
  const uuid = instances.find((one) => one.name === instance)?.config['volatile.uuid'] ?? 'none';
  return { kind: 'incus', instance, project: 'default', uuid, pool: 'lab' };
}

describe('snapshots of Incus', () => {
  it('of one cut are a set', () => {
    const { sets, strays, taken } = restorePoints([foundInIncus(instances, [volume('dev-snap-a'), volume('dev-snap-b')], 'local')]);
    expect(sets).toMatchObject([
      { id: 'run-1', name, release: A, environment: 'local', tool: '0.1.0', intended: ['dev-snap-a', 'dev-snap-b'], missing: [] },
    ]);
    expect(sets[0]?.members.map(({ instance }) => instance)).toEqual(['dev-snap-a', 'dev-snap-b']);
    expect(strays).toEqual([
      {
        where: `dev-snap-a/pre-deploy-${'b'.repeat(40)}`,
        because: `its marks are meant for ${name}: it was made by hand later, or renamed`,
      },
    ]);
    expect(taken).toContain('by-hand');
  });

  it('are read beside an instance that is being stopped: it is left out, for Incus tells nothing of it', () => {
    const stopping = { name: 'another', project: 'default', status: 'Error', config: null, devices: null, snapshots: null };
    const listed = JSON.stringify([stopping, ...(JSON.parse(stdout) as unknown[])]);
    expect(parseInstances(answer(listed))).toEqual(instances);
  });

  it('of a copied container are not ours, though the copy has all keys', () => {
    const copied = foundInIncus(instances, [volume('dev-snap-c')], 'local');
    expect(copied.members).toEqual([]);
    expect(copied.strays[0]?.because).toContain('does not name dev-snap-c');
    // Even if it took the original's name.
    const renamed = instances.filter((one) => one.name === 'dev-snap-c').map((one) => ({ ...one, name: 'dev-snap-a' }));
    const found = foundInIncus(renamed, [{ ...volume('dev-snap-c'), instance: 'dev-snap-a' }], 'local');
    expect(found.members).toEqual([]);
    expect(found.strays[0]?.because).toContain('another container of that name');
  });

  it('of another environment are not ours', () => {
    expect(foundInIncus(instances, [volume('dev-snap-a')], 'prod')).toMatchObject({
      members: [],
      strays: [{ because: 'it is marked as of the environment local, not prod' }, {}],
    });
  });

  it('do not expire when this tool made them', () => {
    const expiries = (of: string) =>
      instances.flatMap(({ snapshots }) => snapshots?.filter((one) => one.name === of) ?? []).map((one) => expiry(one.expires_at));
    expect(expiries(name)).toEqual([{}, {}, {}]);
    expect(expiries('by-hand')).toEqual([{ expires: expect.stringMatching(/^2026-/) }, { expires: expect.stringMatching(/^2026-/) }]);
    expect([expiry(null), expiry(undefined)]).toEqual([{}, {}]);
  });

  it('are cut with all keys first and the snapshots close together', () => {
    const mark = { id: 'run-1', release: A, environment: 'local', tool: '0.1.0' };
    const volumes = [volume('dev-snap-a'), { ...volume('dev-snap-b'), project: 'p' }];
    const keys = [
      ...['user.mooring.set=run-1', `user.mooring.set-name=${name}`, `user.mooring.set-release=${A}`, 'user.mooring.set-environment=local'],
      ...['user.mooring.set-tool=0.1.0', 'user.mooring.set-members=dev-snap-a,dev-snap-b'],
    ];
    expect(cutInIncus(volumes, { name, mark, members: volumes }).map(({ argv }) => argv)).toEqual([
      incus('config', 'set', 'dev-snap-a', '--project', 'default', '--', ...keys),
      incus('config', 'set', 'dev-snap-b', '--project', 'p', '--', ...keys),
      incus('snapshot', 'create', 'dev-snap-a', name, '--no-expiry', '--project', 'default'),
      incus('snapshot', 'create', 'dev-snap-b', name, '--no-expiry', '--project', 'p'),
    ]);
    expect(() => cutInIncus([{ ...volume('dev-snap-a'), instance: 'remote:x' }], { name, mark, members: volumes })).toThrow(InputError);
  });

  it('are deleted one by one, and only ours', () => {
    const member = (instance: string, snapshot: string): SetMember => ({
      kind: 'incus',
      instance,
      project: 'default',
      pool: 'lab',
      snapshot,
      cutAt: '',
    });
    expect(deleteInIncus(member('dev-snap-a', name)).argv).toEqual(incus('snapshot', 'delete', 'dev-snap-a', name, '--project', 'default'));
    expect(() => deleteInIncus(member('dev-snap-a', 'by-hand'))).toThrow(InputError);
    expect(() => deleteInIncus(member('-a', name))).toThrow(InputError);
    const gone = 'Error: Failed to fetch snapshot "nope" of instance "dev-snap-a" in project "default": Instance_snapshot not found\n';
    expect(isGone(answer('', gone, 1))).toBe(true);
    expect(isGone(answer('', 'Error: Failed to fetch instance "dev-nope" in project "default": Instance not found\n', 1))).toBe(false);
  });

  it('stop at an answer that is not known', () => {
    expect(() => parseInstances(answer('[{"name":"x"}]'))).toThrow('not known');
    expect(() => parseInstances(answer('[{"name":"x","status":"Running","config":null}]'))).toThrow('not known');
    expect(() => parseInstances({ ...answer('', 'Error: boom', 1), command: read(['incus']) })).toThrow('did not report');
    expect(() => foundInIncus([], [volume('dev-snap-a')], 'local')).toThrow('does not list dev-snap-a');
  });
});
