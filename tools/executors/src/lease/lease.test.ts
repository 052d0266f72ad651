import { describe, expect, test } from 'vitest';
import { showError } from '../engine/errors.ts';
import { acquireLease, type Lease, LeaseHeldError, leaseNote, mustHold, releaseLease, renewLease } from './lease.ts';

const request = {
  environment: 'staging',
  runId: 'run-2',
  who: 'mike',
  from: 'laptop',
  release: '0123456789abcdef0123456789abcdef01234567',
};
const lease = (more: Partial<Lease> = {}): Lease => ({
  runId: 'run-1',
  who: 'anna',
  from: 'ci-7',
  release: 'f'.repeat(40),
  since: 1_790_000_000,
  expires: 1_790_000_060,
  ...more,
});
const answer = (stdout: string, code = 0, stderr = '') => {
  const fact = acquireLease(request);
  return fact.parse({ command: fact.command, code, stdout, stderr });
};

describe('what the host answers', () => {
  test('granted, renewed, expired, taken', () => {
    const ours = lease({ runId: 'run-2' });
    expect(answer(`granted 1790000000\n${JSON.stringify(ours)}\n\n`)).toEqual({ state: 'granted', now: 1_790_000_000, lease: ours });
    const taken = answer(`taken 1790000000\n${JSON.stringify(ours)}\n${JSON.stringify(lease())}\n`);
    expect(taken).toEqual({ state: 'taken', now: 1_790_000_000, lease: ours, previous: lease() });
    expect(leaseNote(mustHold(taken, 'staging'))).toBe(
      'taken from anna from ci-7, run run-1, since 2026-09-21 14:13:20 UTC, release ffffffffffff',
    );
    const renewed = answer(`renewed 1790000000\n${JSON.stringify(ours)}\n${JSON.stringify(ours)}\n`);
    expect(leaseNote(mustHold(renewed, 'staging'))).toBeUndefined();
  });

  test('held: the message says who, from where, since when, what, how long, and both ways on', () => {
    const held = answer(`held 1790000017\n${JSON.stringify(lease())}\n`, 75);
    let text = '';
    try {
      mustHold(held, 'staging');
    } catch (error) {
      expect(error).toBeInstanceOf(LeaseHeldError);
      text = showError(error);
    }
    expect(text).toMatchInlineSnapshot(`
      "staging is held by another run: anna from ci-7, run run-1, since 2026-09-21 14:13:20 UTC, release ffffffffffff; its lease runs out in 43 s, unless it is renewed
        next:    wait: the same command with --lease-wait=90s; or, if that run is known to be dead: --lease-take=run-1
        more:    docs/errors.md#lease-and-audit-log"
    `);
  });

  test.each([
    ['nothing', '', 0],
    ['another word', 'maybe 1\n{}\n', 0],
    ['held with code 0', `held 1\n${JSON.stringify(lease())}\n`, 0],
    ['granted with code 75', `granted 1\n${JSON.stringify(lease())}\n`, 75],
    ['a lease with a field too many', `granted 1\n${JSON.stringify({ ...lease(), more: 1 })}\n`, 0],
    ['half a lease', 'granted 1\n{"runId":"x"\n', 0],
  ])('refused: %s', (_, stdout, code) => {
    expect(() => answer(stdout, code)).toThrow('not understood');
  });

  test('a failure is not a lease', () => {
    expect(() => answer('', 74, 'locked')).toThrow('could not be taken');
    expect(() => answer('', 65, 'not a lease: x')).toThrow('/var/lib/mooring/staging/lease exists but is not a lease');
  });

  test('a renewal: renewed, gone, or the new holder', () => {
    const fact = renewLease('staging', 'run-1');
    const parse = (stdout: string) => fact.parse({ command: fact.command, code: 0, stdout, stderr: '' });
    expect(parse('renewed\n')).toBe('renewed');
    expect(parse('gone\n')).toBe('gone');
    expect(parse(`lost\n${JSON.stringify(lease())}\n`)).toEqual(lease());
    expect(() => parse('')).toThrow('not understood');
  });
});

test.each(['', '-x', "a'b", 'a b', 'a\nb', 'x"', 'a'.repeat(129)])('%j is refused as a run id everywhere', (runId) => {
  expect(() => acquireLease({ ...request, runId })).toThrow('is not a run id');
  expect(() => acquireLease({ ...request, take: runId })).toThrow('is not a run id');
  expect(() => renewLease('staging', runId)).toThrow('is not a run id');
  expect(() => releaseLease('staging', runId)).toThrow('is not a run id');
});
