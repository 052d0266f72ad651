import { z } from 'zod';
import { environment, flag, json } from '../../engine/option-fields.ts';

/** Options of `status`. */
export const schema = z.strictObject({
  environment,
  completedRelease: flag(
    'Print only the release that was completed last on the hosts: 40 hex digits. Of the storage project; fails when there is none',
  ),
  failOn: z
    .enum(['degraded', 'unhealthy'])
    .optional()
    .describe('Exit code 1 if a health is this or worse, or is not known. Left out: what is found does not fail the command'),
  json,
});

/** What the verb is given. */
export type StatusOptions = Omit<z.output<typeof schema>, 'environment'>;
