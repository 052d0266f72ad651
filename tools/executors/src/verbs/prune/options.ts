import { z } from 'zod';
import { duration, environment, flag, json, names, text, without } from '../../engine/option-fields.ts';

/** Options of `prune`. */
export const schema = z.strictObject({
  environment,
  dryRun: flag('Show what would be destroyed, and why the rest stays; change nothing'),
  preserved: flag('What roll-backs left, which never goes by itself: list it, and ask what may go'),
  kept: flag('The former name of --preserved; it goes with the next minor version'),
  destroy: names(
    'With --preserved: which of it may go, by name; needed where there is no terminal',
    'tank/mooring/veza-prod-redis-20260131T235959Z',
  ),
  without,
  yes: flag('With --preserved: do not ask'),
  leaseWait: duration('How long to wait for the lease of another run', '90s').optional(),
  leaseTake: text('Run id whose lease is taken over; for a run that is known to be dead', '20260131T235959-0f1e2d3c4b5a').optional(),
  json,
});

/** What the verb is given; times in milliseconds. */
export type PruneOptions = Omit<z.output<typeof schema>, 'environment'>;
