import { describe, expect, it } from 'vitest';
import type { Trial } from '../trial.ts';
import { limitsOf, refuseBlocking } from './limits.ts';
import type { Look } from './resources.ts';

/** A node that uses 128 MB of memory, with 30 GB of free disk, and these limits now. */
function node({ memory = 400e6 as number | string, disk = 50e6 as number | string } = {}): Look {
  return {
    alarms: [],
    drained: false,
    memory: { used: 128e6, limit: memory },
    disk: { free: 30e9, limit: disk },
    queues: null,
    read: '.*',
    df: '',
  };
}

const taken = (memory: string, disk: string): Trial => ({ state: 'taken', said: `memory=${memory}\ndisk=${disk}\n` });
const refusal = (trial: Trial, look: Look | null): string | undefined => {
  try {
    refuseBlocking(trial, look);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the limits of a node that was tried', () => {
  it('are those that it said, in bytes', () => {
    expect(limitsOf(taken('10110600806', '50000000'))).toEqual({ memory: 10110600806, disk: 50e6 });
  });

  it.each<[string, Trial]>([
    ['were not tried', { state: 'untried', because: '--skip-trial', bySkipTrial: true }],
    ['would not change', { state: 'unchanged' }],
    ['has none', taken('infinity', 'undefined')],
    ['were not told', { state: 'taken', said: '' }],
    ['are no numbers of bytes', taken('-1', '5.0e7')],
  ])('are nothing that is known where they %s', (_, trial) => {
    expect(limitsOf(trial)).toEqual({ memory: undefined, disk: undefined });
    expect(refusal(trial, node())).toBeUndefined();
  });
});

describe('limits that block every publisher', () => {
  it.each([
    ['0', '50000000', 'the node uses 128 MB of memory, and the limit would be 0 MB'],
    ['127999999', '50000000', 'the node uses 128 MB of memory, and the limit would be 128 MB'],
    ['400000000', '900000000000', 'the disk has 30 GB free, and the limit would be 900 GB'],
  ])('of memory %s and disk %s are refused with the reason', (memory, disk, reason) => {
    expect(refusal(taken(memory, disk), node())).toContain(reason);
  });

  it.each([
    ['exactly what is used and free', taken('128000000', '30000000000'), node()],
    ['a repair that is enough', taken('400000000', '50000000'), node({ memory: 0, disk: 900e9 })],
    ['a repair that is not enough yet', taken('100000000', '40000000000'), node({ memory: 0, disk: 900e9 })],
    ['the limits that block already, with another setting', taken('0', '900000000000'), node({ memory: 0, disk: 900e9 })],
    ['a node that says nothing', taken('0', '900000000000'), null],
    [
      'a node that does not know',
      taken('0', '900000000000'),
      { ...node(), memory: { used: 'NaN', limit: 1 }, disk: { free: 'NaN', limit: 1 } },
    ],
  ])('are not: %s', (_, trial, look) => {
    expect(refusal(trial, look)).toBeUndefined();
  });

  it.each([
    ['of a node that is blocked already', taken('50', '50000000'), node({ memory: 100 })],
    ['beside a limit that is fixed', taken('100', '50000000'), node({ disk: 900e9 })],
  ])('are refused where they are worse: %s', (_, trial, look) => {
    expect(refusal(trial, look)).toContain('the node uses 128 MB of memory');
  });
});
