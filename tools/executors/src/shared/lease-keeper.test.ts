import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Command, CommandResult } from '../engine/command.ts';
import type { OpenHost } from '../engine/transport.ts';
import { machine } from '../world/machine.ts';
import type { Opening } from './host-facts.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { Invocation } from './run.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const lease = { runId: 'run-2', who: 'mike', from: 'laptop', release: 'a'.repeat(40), since: 100, expires: 160 };

/** A look that takes so long under the lease, and what the spare connection was asked meanwhile. */
function look(seconds: number, renewal: string, end: () => void = () => {}) {
  const asked: string[] = [];
  const aborted: unknown[] = [];
  const result = (command: Command, stdout: string): CommandResult => ({ command, code: 0, stdout, stderr: '' });
  const run = async (batch: readonly Command[]) =>
    batch.map((command) => {
      const what = command.argv.includes('release') ? 'release' : 'renewal';
      asked.push(what);
      return result(command, what === 'renewal' ? renewal : '');
    });
  const keeper = new LeaseKeeper(
    {
      environment: { name: 'prod' },
      runId: 'run-2',
      world: machine,
      signal: new AbortController().signal,
      progress: () => {},
      abort: (reason: unknown) => aborted.push(reason),
    } as unknown as Invocation,
    { name: 'h', spare: { name: 'h', run } } as unknown as OpenHost,
    {},
    'a'.repeat(40),
  );
  const done = keeper.hold(async ({ command, check }: Opening) => {
    check(result(command, `granted 100\n${JSON.stringify(lease)}\n\n`));
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    end();
    return 'seen';
  });
  done.catch(() => {});
  return { keeper, done, asked, aborted };
}

it('is renewed while the look lasts, and after it, until it is stopped', async () => {
  const { keeper, done, asked, aborted } = look(130, 'renewed\n');
  await vi.advanceTimersByTimeAsync(130_000);
  expect(await done).toBe('seen');
  expect(asked).toEqual(Array(6).fill('renewal'));
  await vi.advanceTimersByTimeAsync(20_000);
  keeper.stop();
  await vi.advanceTimersByTimeAsync(300_000);
  expect(asked).toEqual(Array(7).fill('renewal'));
  expect(aborted).toEqual([]);
});

it('that was lost during the look fails it, before anything is changed', async () => {
  const { done, aborted } = look(45, 'gone\n');
  await vi.advanceTimersByTimeAsync(45_000);
  await expect(done).rejects.toThrow('the lease of prod was lost');
  expect(aborted).toHaveLength(1);
});

it('of a look that failed is given back, and renewed no more', async () => {
  const { done, asked } = look(25, 'renewed\n', () => {
    throw new Error('no answer');
  });
  await vi.advanceTimersByTimeAsync(25_000);
  await expect(done).rejects.toThrow('no answer');
  await vi.advanceTimersByTimeAsync(300_000);
  expect(asked).toEqual(['renewal', 'release']);
});
