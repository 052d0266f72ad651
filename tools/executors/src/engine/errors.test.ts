import { describe, expect, it } from 'vitest';
import { LeaseHeldError } from '../lease/lease.ts';
import { MaybeDone, refused } from '../platforms/proxmox/errors.ts';
import {
  CommandError,
  explainedBy,
  HostError,
  InputError,
  MooringError,
  NotPartError,
  ProblemsError,
  SafetyError,
  showError,
} from './errors.ts';

/** The last line of an error, as the user sees it. */
const more = (error: unknown) => showError(error).split('\n').at(-1)?.trim();

describe('the page that an error names', () => {
  const holder = { runId: 'r', who: 'ann', from: 'laptop', release: 'a'.repeat(40), since: 0, expires: 60 };
  const refusal = { call: 'GET /x', status: 500, reason: 'no', message: '', errors: {} };
  it.each([
    [new HostError('x'), 'docs/errors.md#reaching-the-host'],
    [new InputError('x'), 'docs/errors.md#before-a-host-is-asked'],
    [new CommandError('x'), 'docs/errors.md#a-command-that-failed'],
    [new MooringError('x'), 'docs/errors.md'],
    [new SafetyError('x', { page: 'rollBack' }), 'docs/errors.md#roll-back'],
    [new LeaseHeldError('prod', { state: 'held', now: 1, holder }), 'docs/errors.md#lease-and-audit-log'],
    [new MaybeDone('x'), 'docs/errors.md#guests-on-proxmox'],
    [refused(refusal, false, 'pve'), 'docs/errors.md#guests-on-proxmox'],
    [new TypeError('x'), 'docs/errors.md#an-error-with-a-stack'],
  ])('%s', (error, page) => expect(more(error)).toBe(`more:    ${page}`));

  it('is that of the work it was thrown in, unless it or its class names another', async () => {
    const thrownIn = (error: Error) => Promise.reject(error).catch(explainedBy('rollBack')).catch(more);
    expect(await thrownIn(new InputError('x'))).toBe('more:    docs/errors.md#roll-back');
    expect(await thrownIn(new InputError('x', { page: 'secrets' }))).toBe('more:    docs/errors.md#secrets');
    expect(await thrownIn(new HostError('x'))).toBe('more:    docs/errors.md#reaching-the-host');
    expect(await thrownIn(new ProblemsError('x', [new InputError('y')]))).toBe('more:    docs/errors.md#roll-back');
    expect(await thrownIn(new TypeError('x'))).toBe('more:    docs/errors.md#an-error-with-a-stack');
  });

  it('is told once for several problems, in the last line', () => {
    const problems = new ProblemsError('nothing was touched', [
      new SafetyError('a', { page: 'rollBack', next: 'fix it' }),
      new SafetyError('b', { page: 'rollBack' }),
      new HostError('c'),
    ]);
    expect(showError(problems)).toBe(
      'nothing was touched\n1. a\n     next:    fix it\n2. b\n3. c\n  more:    docs/errors.md#roll-back, docs/errors.md#reaching-the-host',
    );
  });

  it('is not told where nothing is wrong', () => {
    expect(showError(new NotPartError('redis: not part of dev'))).toBe('redis: not part of dev');
  });
});
