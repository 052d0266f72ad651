import { loadavg } from 'node:os';
import type { Ended } from '../e2e/workspace.ts';

/** How long a command took, in seconds, and what it printed. */
export type Timed = { readonly seconds: number; readonly output: string };

let interrupted = false;

/** From now on a signal ends the bench before its next command, and not in the middle: what it made is taken away first. */
export function listenForInterruption(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (interrupted = true));
}

/** Runs a command and takes its time. @throws Error with the end of its output when it failed */
export async function timed(what: string, command: () => Promise<Ended>): Promise<Timed> {
  if (interrupted) throw new Error('interrupted');
  const began = performance.now();
  const { code, output } = await command();
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`${what} ended with ${code}:\n${output.trim().split('\n').slice(-30).join('\n')}`);
  return { seconds, output };
}

/** A B C A B C …: a machine that becomes slower meanwhile is slower for all of them. @returns one record of times a round */
export async function inTurn<K extends string>(
  rounds: number,
  work: Readonly<Record<K, () => Promise<number>>>,
): Promise<Record<K, number>[]> {
  const all: Record<K, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    const times: Partial<Record<K, number>> = {};
    for (const name of Object.keys(work) as K[]) times[name] = await work[name]();
    all.push(times as Record<K, number>);
  }
  return all;
}

/** The middle one; between two, their mean. @throws RangeError for none */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new RangeError('the median of nothing');
  return (low + high) / 2;
}

/** The machine's load of the last minute. */
export function load(): number {
  return loadavg()[0] ?? 0;
}
