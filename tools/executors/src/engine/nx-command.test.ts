import { expect, it } from 'vitest';
import { InputError, ProblemsError } from './errors.ts';
import { complete, nxRun } from './nx-command.ts';

it('a command to type is whole', () => {
  const inner = new InputError('x', { next: `${nxRun('snapshots')} lists them` });
  const own = new InputError('y', { next: nxRun('status', { project: 'redis', environment: 'prod' }, '--json') });
  complete(new ProblemsError('two', [inner, own]), { environment: 'staging', storage: 'storage' });
  expect([inner.detail.next, own.detail.next]).toEqual([
    'nx run storage:snapshots -c staging lists them',
    'nx run redis:status -c prod --json',
  ]);
});
