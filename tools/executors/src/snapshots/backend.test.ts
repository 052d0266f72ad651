import { expect, it } from 'vitest';
import { incusBackend } from '../platforms/incus/backend.ts';
import { zfsBackend } from '../platforms/zfs/backend.ts';
import { supportOf } from './backend.ts';

it('a pool has restore points by its driver, or a reason why it has none', () => {
  const by = (driver: string, config = {}) => {
    const support = supportOf([zfsBackend, incusBackend], { name: 'p', driver, config });
    return 'backend' in support ? support.backend.kind : support.because;
  };
  expect([by('zfs'), by('btrfs'), by('lvm')]).toEqual(['zfs', 'incus', 'incus']);
  expect(by('lvm', { 'lvm.use_thinpool': 'false' })).toContain('without a thin pool');
  expect(by('dir')).toContain("a copy of a running database's files");
  expect(by('ceph')).toContain('never tried');
});
