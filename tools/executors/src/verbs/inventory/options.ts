import { z } from 'zod';
import { environment, flag, text } from '../../engine/option-fields.ts';

/** Options of `inventory`. */
export const schema = z.strictObject({
  environment,
  out: text(
    'Write the inventory to this file, absolute or relative to the workspace: nx prints lines of its own around the output',
    'inventory.json',
  ).optional(),
  all: flag('Applications: all of them in all environments, not only the one that was asked for'),
});

/** What the verb is given. */
export type InventoryOptions = Omit<z.output<typeof schema>, 'environment'>;
