import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { caseSettings } from '../../../../../test/cases.ts';
import type { Trial } from '../trial.ts';
import type { Answers } from './differences.ts';
import { planConfig } from './plan.ts';
import { settings } from './settings.ts';

const given = JSON.parse(readFileSync(join(import.meta.dirname, 'cases/dangerous-less-memory.json'), 'utf8'));
const context = { environment: 'local', instance: 'veza-local-redis', clientNetworks: [], artifacts: {} };

/** Plans for a server that uses 100 MB, with 256 MB and noeviction, unless something else is said. */
function plan(wanted: object, live: Partial<Answers> = {}, trial: Trial = { state: 'taken', said: '' }) {
  const facts = { ...given.facts, trial, live: { ...given.facts.live, ...live } };
  return planConfig(facts, { settings: settings.parse(caseSettings({ ...given.settings, ...wanted })) as never, context });
}
const LESS = /redis uses 100000000 bytes of memory and would take no writes/;
const values = (maxmemory: string, policy = 'noeviction') => ({
  ...given.facts.live.values,
  maxmemory,
  'maxmemory-policy': policy,
});

describe('less memory than the server uses', () => {
  it.each([
    [{ maxmemory: '95mb' }, {}],
    [{ maxmemory: '1' }, {}],
    // Nothing has an end of its life: there is nothing that such a policy may evict.
    [{ maxmemoryPolicy: 'volatile-lru' }, { expiring: 0 }],
    // Beyond its limit already, and the new one is lower.
    [{ maxmemory: '64mb' }, { values: values('90000000') }],
    // It would evict what it has too much of; then it may no longer.
    [{ maxmemory: '64mb' }, { values: values('67108864', 'allkeys-lru') }],
    // Without a limit until now.
    [{ maxmemory: '64mb' }, { values: values('0') }],
  ])('%o is refused', (wanted, live) => {
    expect(() => plan(wanted, live)).toThrow(LESS);
  });

  it.each([
    [{ maxmemory: '96mb' }, {}],
    [{ maxmemory: '0' }, {}],
    [{ maxmemoryPolicy: 'allkeys-lfu' }, {}],
    [{ maxmemoryPolicy: 'volatile-ttl' }, {}],
    // Beyond its limit already, and the new one is no lower.
    [{ maxmemory: '64mb' }, { values: values('67108864') }],
    [{ maxmemory: '64mb' }, { values: values('50000000') }],
  ])('%o is taken', (wanted, live) => {
    expect(plan(wanted, live)).not.toEqual([]);
  });

  it('is for the user to risk with --skip-trial, and for nobody else', () => {
    expect(plan({}, {}, { state: 'untried', because: '--skip-trial', bySkipTrial: true })).not.toEqual([]);
    expect(() => plan({}, {}, { state: 'untried', because: 'no sandbox' })).toThrow(LESS);
  });

  it('next is a limit with some room, and the way past', () => {
    expect(() => plan({})).toThrow(
      expect.objectContaining({
        detail: expect.objectContaining({ next: expect.stringMatching(/"maxmemory" to 120mb or more.*--skip-trial/) }),
      }),
    );
  });
});
