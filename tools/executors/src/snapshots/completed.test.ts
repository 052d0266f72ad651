import { describe, expect, it } from 'vitest';
import { completedRelease } from './completed.ts';
import type { DeployEntry, HostHistory } from './history.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

const host = (name: string, ...entries: readonly [string, DeployEntry['result']][]): HostHistory => ({
  host: name,
  history: entries.map(([release, result], i) => ({ release, result, run: `run-${i}`, at: `2026-11-20T00:00:0${i}Z` })),
});
const of = (...hosts: readonly HostHistory[]) => completedRelease('prod', hosts);

describe('the release that was completed last', () => {
  it('is not that of a deploy that failed or was killed: what it had to do is still to be done', () => {
    expect(of(host('h', [A, 'started'], [A, 'ok'], [B, 'started'], [B, 'failed']))).toBe(A);
    expect(of(host('h', [A, 'ok'], [B, 'started']))).toBe(A);
    expect(of(host('h', [A, 'ok'], [B, 'started'], [B, 'failed'], [B, 'started'], [B, 'ok']))).toBe(B);
  });

  it('may be an older commit than one before it: a revert is a deploy', () => {
    expect(of(host('h', [A, 'ok'], [B, 'ok'], [A, 'started'], [A, 'ok']))).toBe(A);
  });

  it('is one for all hosts', () => {
    expect(of(host('one', [A, 'ok']), host('two', [B, 'failed'], [A, 'ok']))).toBe(A);
  });

  it.each([
    ['no deploy has completed', [host('h', [A, 'started'], [A, 'failed'])], 'the audit log has no deploy that has completed'],
    ['there is no log', [host('h')], 'the audit log has no deploy that has completed'],
    ['one host has none', [host('one', [A, 'ok']), host('two')], 'the audit log has no deploy that has completed'],
    ['the state was rolled back', [host('h', [A, 'ok'], [B, 'ok'], [B, 'rolled-back'])], 'a roll-back was the last that ended'],
    ['the log was cut off since', [host('h', [A, 'ok'], ['', 'broken'])], 'a line of the audit log after aaaaaaaaaaaa was cut off'],
    ['hosts differ', [host('one', [A, 'ok']), host('two', [B, 'ok'])], 'at different ones: one aaaaaaaaaaaa, two bbbbbbbbbbbb'],
  ])('is not known where %s', (_, hosts, message) => {
    expect(() => of(...hosts)).toThrow(message);
    expect(() => of(...hosts)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ next: expect.stringContaining('nx run-many -t configure -c prod') }) }),
    );
  });

  it('is asked of a log that was cut off before it all the same', () => {
    expect(of(host('h', ['', 'broken'], [A, 'ok']))).toBe(A);
  });
});
