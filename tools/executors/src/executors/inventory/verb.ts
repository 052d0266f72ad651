import type { VerbRequest } from '../../shared/request.ts';
import type { InventoryOptions } from '../../verbs/inventory/options.ts';
import { verbExecutor } from '../shared/verb.ts';
import { inventorySchema } from './options.ts';

// The use case is imported once the options are known to be right.
const inventory = async (request: VerbRequest<InventoryOptions>) => (await import('../../usecases/verbs.ts')).inventory(request);
const inventoryApps = async (request: VerbRequest<InventoryOptions>) =>
  (await import('../../usecases/app/inventory.ts')).inventoryApps(request);

export const runOne = verbExecutor(inventorySchema, inventory, inventoryApps);
