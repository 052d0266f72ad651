import { z } from 'zod';
import { environment, flag, json } from '../shared/fields.ts';

/** Options of `status`. */
export const statusSchema = z.strictObject({
  environment,
  completedRelease: flag(
    'Print only the release that was completed last on the hosts: 40 hex digits. Of the storage project; fails when there is none',
  ),
  json,
});
export type StatusOptions = Omit<z.output<typeof statusSchema>, 'environment'>;
