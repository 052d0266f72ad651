import { z } from 'zod';
import { environment, flag, type OfTarget, text } from '../../engine/option-fields.ts';
import type { InventoryOptions } from '../../verbs/inventory/options.ts';

/** Options of `inventory`. */
export const inventorySchema = z.strictObject({
  environment,
  out: text(
    'Write the inventory to this file, absolute or relative to the workspace: nx prints lines of its own around the output',
    'inventory.json',
  ).optional(),
  all: flag('Applications: all of them in all environments, not only the one that was asked for'),
}) satisfies z.ZodType<OfTarget<InventoryOptions>>;
