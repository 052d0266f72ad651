import type { Change } from './change.ts';

/** One change as a line: `update file /etc/redis/redis.conf (restart): the file differs from the settings`. */
export function showChange(change: Change): string {
  const impact = change.impact === 'none' ? '' : ` (${change.impact})`;
  return `${change.action} ${change.resource}${impact}: ${change.because}`;
}

/** How many changes, and how many of them are felt. */
export function showCount(changes: readonly Change[]): string {
  if (changes.length === 0) return '0 changes';
  const restarts = changes.filter(({ impact }) => impact === 'restart').length;
  return `${changes.length} change${changes.length === 1 ? '' : 's'}${restarts > 0 ? `, ${restarts} with restart` : ''}`;
}

/** What differs, a line each: `maxmemory: 128mb -> 256mb`. Values are already free of secrets. */
export function showDifference(change: Change): string[] {
  const { before, after } = change;
  if (isRecord(before) || isRecord(after)) {
    const [was, will] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
    return [...new Set([...Object.keys(was), ...Object.keys(will)])].map((key) => difference(key, was[key], will[key]));
  }
  return before === undefined && after === undefined ? [] : [difference('', before, after)];
}

function difference(key: string, before: unknown, after: unknown): string {
  const name = key === '' ? '' : `${key}: `;
  if (before === undefined) return `${name}${show(after)}`;
  return `${name}${show(before)} -> ${after === undefined ? '(removed)' : show(after)}`;
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
