import { z } from 'zod';
import { duration, environment, flag, json, text } from '../../engine/option-fields.ts';

/** Options of `drill`. */
export const schema = z.strictObject({
  environment,
  to: text(
    'Which restore point: its name, or a release (7 digits or more) that it was cut before; the newest when left out',
    'pre-deploy-0123456789ab',
  ).optional(),
  timeout: duration('How long the service may take to be healthy on the copy', '5m').optional(),
  keep: flag('Leave the throw-away instance, stopped, for study'),
  leaseWait: duration('How long to wait for another drill of the same container', '90s').optional(),
  leaseTake: text('Run id whose drill is known to be dead, and is not waited for', '20260131T235959-0f1e2d3c4b5a').optional(),
  json,
});

/** What the verb is given; times in milliseconds. */
export type DrillOptions = Omit<z.output<typeof schema>, 'environment'>;
