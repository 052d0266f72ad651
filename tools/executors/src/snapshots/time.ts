import { MooringError } from '../engine/errors.ts';

/**
 * A point in time in the one form that sorts as text: UTC with nine decimals. Go prints fractions without trailing zeros
 * (`….5Z` sorts after `….537Z`) and may print an offset, so neither can be compared as it comes.
 *
 * @param text RFC 3339, as Incus and our audit log write it
 * @throws MooringError when it is not that
 */
export function sortableTime(text: string): string {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const seconds = found === null ? Number.NaN : Date.parse(`${found[1]}${found[3]}`);
  if (found === null || Number.isNaN(seconds)) throw new MooringError(`'${text}' is not a time that is known (RFC 3339)`);
  return `${new Date(seconds).toISOString().slice(0, 19)}.${(found[2] ?? '').padEnd(9, '0')}Z`;
}

/** The same form from seconds since 1970, as `zfs get -p creation` gives them. */
export function timeOfSeconds(seconds: number): string {
  return sortableTime(new Date(seconds * 1000).toISOString());
}

/** A {@link sortableTime} for a reader: `2026-11-23 05:23:43 UTC`. */
export function showTime(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;
}

/** Seconds from one {@link sortableTime} to another. */
export function secondsBetween(from: string, to: string): number {
  const whole = (Date.parse(`${to.slice(0, 19)}Z`) - Date.parse(`${from.slice(0, 19)}Z`)) / 1000;
  return whole + Number(`0${to.slice(19, 29)}`) - Number(`0${from.slice(19, 29)}`);
}
