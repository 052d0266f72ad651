import { describe, expect, it } from 'vitest';
import type { Change } from '../../engine/change.ts';
import { type Command, showCommand } from '../../engine/command.ts';
import type { PreservedMark } from '../../snapshots/preserved.ts';
import type { Lineage, Lineages } from './lineage.ts';
import { rollBackInPlace, type Swap, swapToPreserved, swapToSnapshot } from './swap.ts';

const B = 'b'.repeat(40);
const [LIVE, KEPT, OLD, SNAPSHOT] = ['tank/containers/x', 'tank/mooring/x-2', 'tank/mooring/x-1', `pre-deploy-${B}`];
const mark: PreservedMark = {
  ...{ environment: 'prod', instance: 'x', uuid: 'u', project: 'default', dataset: LIVE, run: 'r', time: '2026-01-01T00:00:00Z' },
  ...{ before: B, to: SNAPSHOT, local: { mountpoint: 'legacy', refquota: '1073741824' } },
};
const swap: Swap = { live: LIVE, kept: KEPT, mark };

function lineage(name: string, more: Partial<Lineage> = {}): Lineage {
  const none = { origin: undefined, encryptionRoot: undefined, kept: undefined };
  return { name, ...none, keyLoaded: true, used: 0, available: 2 ** 40, local: mark.local, ...more };
}

function seen(...there: Lineage[]): Lineages {
  return new Map<string, Lineage | 'absent'>([
    ...[LIVE, KEPT, OLD].map((name) => [name, 'absent'] as const),
    ...there.map((one) => [one.name, one] as const),
  ]);
}

/** The commands in order; the check that a dataset is not in use reads `unused <dataset>`. */
function shown(changes: readonly Change[]): string[] {
  return changes.flatMap(({ commands }) =>
    (commands as readonly Command[]).map((command) => (command.argv[0] === 'sh' ? `unused ${command.argv.at(-1)}` : showCommand(command))),
  );
}

/** The verbs of the commands that change something, in order. */
function verbs(changes: readonly Change[]): (string | undefined)[] {
  return shown(changes)
    .filter((line) => !line.startsWith('unused '))
    .map((line) => line.split(' ')[1]);
}

describe('to a snapshot', () => {
  it('keeps the present, clones the snapshot with the properties of the live one, and lets it stand on nothing', () => {
    const changes = swapToSnapshot(swap, SNAPSHOT, seen(lineage(LIVE)));
    expect(shown(changes)).toEqual([
      'zfs create -p -o mountpoint=none -o canmount=off tank/mooring',
      `unused ${LIVE}`,
      expect.stringMatching(/^zfs set 'mooring:kept=\{/),
      `zfs rename ${LIVE} ${KEPT}`,
      `unused ${KEPT}`,
      `unused ${KEPT}`,
      `zfs clone -o mountpoint=legacy -o refquota=1073741824 ${KEPT}@${SNAPSHOT} ${LIVE}`,
      `zfs promote ${LIVE}`,
    ]);
  });

  it.each([
    ['after the mark', [lineage(LIVE, { kept: mark })], ['create', 'set', 'rename', 'clone', 'promote']],
    ['after the rename', [lineage(KEPT, { kept: mark })], ['clone', 'promote']],
    ['after the clone', [lineage(KEPT, { kept: mark }), lineage(LIVE, { origin: `${KEPT}@${SNAPSHOT}` })], ['promote']],
    ['after the promotion', [lineage(KEPT, { kept: mark, origin: `${LIVE}@${SNAPSHOT}` }), lineage(LIVE)], []],
  ])('killed %s, does the rest', (_, there, rest) => {
    expect(verbs(swapToSnapshot(swap, SNAPSHOT, seen(...there)))).toEqual(rest);
  });

  it('moves a reservation with the live name', () => {
    const local = { ...mark.local, refreservation: '1048576' };
    const changes = swapToSnapshot({ ...swap, mark: { ...mark, local } }, SNAPSHOT, seen(lineage(LIVE, { local })));
    expect(verbs(changes)).toEqual(['create', 'set', 'rename', 'set', 'clone', 'promote']);
  });

  it('touches nothing that it does not understand', () => {
    expect(() => swapToSnapshot(swap, SNAPSHOT, seen())).toThrow('neither');
    expect(() => swapToSnapshot(swap, SNAPSHOT, seen(lineage(LIVE), lineage(KEPT)))).toThrow('neither is what this roll-back makes');
  });
});

describe('to a preserved state', () => {
  const old = lineage(OLD, { origin: `${LIVE}@${SNAPSHOT}`, kept: mark });

  it('exchanges the two, and the one that is live stands on nothing', () => {
    expect(verbs(swapToPreserved(swap, OLD, seen(lineage(LIVE), old)))).toEqual([
      'create',
      'set',
      'rename',
      'rename',
      'promote',
      'set',
      'inherit',
    ]);
  });

  it('does not promote what stands on nothing', () => {
    const changes = swapToPreserved(swap, OLD, seen(lineage(LIVE, { origin: `${OLD}@${SNAPSHOT}` }), lineage(OLD)));
    expect(verbs(changes)).toEqual(['create', 'set', 'rename', 'rename', 'set', 'inherit']);
  });

  it.each([
    ['after the first rename', [lineage(KEPT), { ...old, origin: `${KEPT}@${SNAPSHOT}` }], ['rename', 'promote', 'set', 'inherit']],
    ['after the second', [lineage(KEPT), lineage(LIVE, { origin: `${KEPT}@${SNAPSHOT}`, kept: mark })], ['promote', 'set', 'inherit']],
    ['after the promotion', [lineage(KEPT, { origin: `${LIVE}@${SNAPSHOT}` }), lineage(LIVE, { kept: mark })], ['set', 'inherit']],
    ['after all', [lineage(KEPT, { origin: `${LIVE}@${SNAPSHOT}` }), lineage(LIVE)], []],
    ['after a roll-back that kept and did not clone', [old], ['rename', 'set', 'inherit']],
  ])('killed %s, does the rest', (_, there, rest) => {
    expect(verbs(swapToPreserved(swap, OLD, seen(...there)))).toEqual(rest);
  });
});

it('in place destroys by name, never with -r', () => {
  const [change] = rollBackInPlace(LIVE, SNAPSHOT, ['pre-deploy-c', 'mine']);
  expect(change?.impact).toBe('data-loss');
  expect(shown([change as Change])).toEqual([
    `unused ${LIVE}`,
    `zfs destroy ${LIVE}@pre-deploy-c,mine`,
    `unused ${LIVE}`,
    `zfs rollback ${LIVE}@${SNAPSHOT}`,
  ]);
  expect(() => rollBackInPlace(LIVE, SNAPSHOT, ['a,b'])).toThrow('not the name of a snapshot');
});
