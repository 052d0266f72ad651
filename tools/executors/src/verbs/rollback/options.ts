import { z } from 'zod';
import { duration, environment, flag, json, names, text, without } from '../../engine/option-fields.ts';

/** Options of `rollback`. */
export const schema = z.strictObject({
  environment,
  before: text(
    'Go back to the state before this release was deployed: 40 lower-case hex digits, or the first seven or more',
    '0123456789ab',
  ).optional(),
  to: text(
    'Go back to this restore point, by its name; an application: to this release, by its id or commit',
    'pre-deploy-0123456789ab',
  ).optional(),
  undo: flag('Go forward again: bring back what the last roll-back left'),
  again: flag('Go back once more although the last roll-back went there; what was written since is kept'),
  inPlace: flag('ZFS only: do not keep the present state; what is destroyed by it must be named by --discard-newer'),
  discardNewer: names('What --in-place may destroy: snapshots by name, and "present" for what was written since the newest', 'present'),
  release: text('Not taken: it would read as "back to". Use --before', '0123456789ab').optional(),
  without,
  yes: flag('Do not ask; needed where there is no terminal'),
  dryRun: flag('Show what would be done; changes nothing'),
  leaseWait: duration('Wait this long while another run holds the lease of the environment', '90s').optional(),
  leaseTake: text('Take the lease from this run, which is known to be dead', '20260131T235959-0f1e2d3c4b5a').optional(),
  json,
});

/** What the verb is given; times in milliseconds. */
export type RollbackOptions = Omit<z.output<typeof schema>, 'environment'>;
