import { expect, it } from 'vitest';
import { notOneMoment } from './moment.ts';

const zfs = (dataset: string) => ({ kind: 'zfs', dataset }) as const;
const incus = { kind: 'incus' } as const;

it('a cut is of one moment within one ZFS pool, and else it is said why not', () => {
  expect(notOneMoment([zfs('tank/containers/a'), zfs('tank/custom/default_v')])).toEqual([]);
  expect(notOneMoment([incus])).toEqual([]);
  expect(notOneMoment([zfs('tank/containers/a'), zfs('fast/custom/default_v')])).toEqual([
    'not in one moment: ZFS cuts the pools tank, fast one after the other',
  ]);
  expect(notOneMoment([zfs('tank/a'), incus])).toEqual(['not in one moment: some volumes are on ZFS, others are cut by Incus']);
  expect(notOneMoment([incus, incus])).toEqual(['not in one moment: Incus cuts one volume after the other']);
  expect(notOneMoment([incus, incus], 1)).toEqual([
    'not in one moment: Incus cuts one volume after the other (1.00 s from the first to the last)',
  ]);
});
