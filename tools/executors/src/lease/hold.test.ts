import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Command, CommandResult, Host } from '../engine/command.ts';
import { HostError } from '../engine/errors.ts';
import { holdLease, keepLease } from './hold.ts';
import { type Lease, LeaseHeldError } from './lease.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const request = { environment: 'staging', runId: 'run-2', who: 'mike', from: 'laptop', release: 'a'.repeat(40) };
const lease = (runId: string): Lease => ({ runId, who: 'anna', from: 'ci-7', release: 'f'.repeat(40), since: 100, expires: 160 });
const granted = `granted 100\n${JSON.stringify(lease('run-2'))}\n\n`;
const held = `held 120\n${JSON.stringify(lease('run-1'))}\n`;

/** Answers in this order, then fails: a command that nobody expected. */
function host(...answers: (string | Error)[]): Host & { readonly asked: Command[] } {
  const asked: Command[] = [];
  return {
    name: 'h',
    asked,
    async run(batch) {
      asked.push(...batch);
      const answer = answers.shift();
      if (answer === undefined) throw new Error('nobody expected that');
      if (answer instanceof Error) throw answer;
      return batch.map((command): CommandResult => ({ command, code: answer.startsWith('held') ? 75 : 0, stdout: answer, stderr: '' }));
    },
    putFile: () => Promise.reject(new Error('nobody expected that')),
  };
}

describe('holdLease', () => {
  const wait = (waitMs: number, progress: string[] = []) => ({ waitMs, progress: (line: string) => void progress.push(line) });

  test('is refused at once when another run holds it', async () => {
    await expect(holdLease(host(held), request, wait(0))).rejects.toThrow(LeaseHeldError);
  });

  test('waits as long as it may, says so, and gets it', async () => {
    const said: string[] = [];
    const there = host(held, held, held, held, held, held, held, granted, 'released');
    const holding = holdLease(there, request, wait(90_000, said));
    await vi.advanceTimersByTimeAsync(14_000);
    const { answer, release } = await holding;
    expect(answer.state).toBe('granted');
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(/^waiting, at most 90 s more: staging is held by another run: anna from ci-7/);
    await release();
    expect(there.asked).toHaveLength(9);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(there.asked).toHaveLength(9);
  });

  test('gives up when the time is over', async () => {
    const holding = holdLease(host(...Array.from({ length: 9 }, () => held)), request, wait(5_000));
    const failed = expect(holding).rejects.toThrow(LeaseHeldError);
    await vi.advanceTimersByTimeAsync(5_000);
    await failed;
  });

  test('ends with its signal', async () => {
    const abort = new AbortController();
    const holding = holdLease(host(held, held), request, { ...wait(90_000), signal: abort.signal });
    const failed = expect(holding).rejects.toThrow(/abort/i);
    await vi.advanceTimersByTimeAsync(1_000);
    abort.abort();
    await failed;
  });
});

describe('keepLease', () => {
  test('renews every 20 s until it is stopped', async () => {
    const there = host('renewed\n', 'renewed\n', 'renewed\n');
    const { signal, stop } = keepLease(there, 'staging', 'run-2');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(there.asked).toHaveLength(3);
    stop();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(signal.aborted).toBe(false);
    expect(there.asked).toHaveLength(3);
  });

  test('lost to another run: aborted, with the new holder', async () => {
    const { signal } = keepLease(host(`lost\n${JSON.stringify(lease('run-9'))}\n`), 'staging', 'run-2');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(signal.reason.message).toContain('the lease of staging was lost: now it has anna from ci-7, run run-9');
  });

  test('given back by someone: aborted', async () => {
    const { signal } = keepLease(host('gone\n'), 'staging', 'run-2');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(signal.reason.message).toContain('was given back or removed');
  });

  test('a host that fails for a while is asked again; for too long, aborted before the lease runs out', async () => {
    const down = () => new HostError('cut');
    const there = host(down(), 'renewed\n', down(), down(), down(), down(), down(), down());
    const { signal } = keepLease(there, 'staging', 'run-2');
    await vi.advanceTimersByTimeAsync(25_000 + 49_000);
    expect(signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(signal.reason.message).toBe('the lease of staging could not be renewed for 50 s: cut');
    const { length } = there.asked;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(there.asked).toHaveLength(length);
  });

  test('a host that never answers: aborted too', async () => {
    const silent: Host = { ...host(), run: () => new Promise(() => {}) };
    const { signal } = keepLease(silent, 'staging', 'run-2');
    await vi.advanceTimersByTimeAsync(50_000);
    expect(signal.reason.message).toContain('could not be renewed for 50 s');
  });
});
