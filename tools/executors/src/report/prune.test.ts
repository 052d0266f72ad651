import { expect, it } from 'vitest';
import { HostError } from '../engine/errors.ts';
import { redactor } from '../engine/redactor.ts';
import type { PruneOptions } from '../verbs/prune/options.ts';
import type { PreservedLeft, PrunedPreserved } from '../verbs/prune/preserved.ts';
import { pruneReport } from './prune.ts';

const clean = redactor([]);
const options = {} as PruneOptions;
const mark = {
  ...{ environment: 'prod', instance: 'prod-redis', uuid: 'u', project: 'veza', dataset: 'tank/prod-redis', local: {} },
  ...{ run: '20261130T220000-0f1e2d3c4b5a', time: '2026-11-30T22:00:00Z', before: 'a'.repeat(40), to: `pre-deploy-${'a'.repeat(12)}` },
};
const dataset = 'tank/mooring/prod-redis-20261130T220000Z';
const host = (name: string, given: Partial<PreservedLeft> = {}): PreservedLeft => ({
  host: name,
  kept: [],
  free: new Map(),
  sets: [],
  ...given,
});
const left: PrunedPreserved = {
  environment: 'prod',
  leftOut: [],
  left: [host('one', { kept: [{ dataset, mark }], free: new Map([[dataset, 3 * 1024 * 1024]]) }), host('two')],
  dead: new Map([['three', new HostError('three does not answer')]]),
};

it('tells what roll-backs left, on which host, and which host gave no answer', () => {
  expect(JSON.parse(pruneReport.json(left, clean).text)).toEqual({
    environment: 'prod',
    hosts: [
      { host: 'one', kept: [{ dataset, mark, freeBytes: 3 * 1024 * 1024 }], restorePoints: [] },
      { host: 'two', kept: [], restorePoints: [] },
    ],
    unreachable: [{ host: 'three', because: 'three does not answer', error: expect.stringContaining('three does not answer') }],
  });
  const text = pruneReport.text(left, options, clean);
  expect(text).toContain(`${dataset}: 3.0 MiB would be free without it\nno roll-back left anything that is still there`);
  expect(pruneReport.preview?.(left.left)).toBe(text);
});

it('tells what became of what was named', () => {
  const became: PrunedPreserved = { environment: 'prod', leftOut: ['left out by --without: host two'], became: ['nothing was destroyed'] };
  expect(JSON.parse(pruneReport.json(became, clean).text)).toEqual({ environment: 'prod', became: ['nothing was destroyed'] });
  expect(pruneReport.text(became, options, clean)).toBe('nothing was destroyed\nleft out by --without: host two');
});
