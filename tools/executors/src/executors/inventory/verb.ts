import { type VerbRequest, verbExecutor } from '../shared/verb.ts';
import { type InventoryOptions, inventorySchema } from './options.ts';

// The use case is imported once the options are known to be right.
const inventory = async (request: VerbRequest<InventoryOptions>) => (await import('../../usecases/verbs.ts')).inventory(request);
const inventoryApps = async (request: VerbRequest<InventoryOptions>) =>
  (await import('../../usecases/app/inventory.ts')).inventoryApps(request);

export const runOne = verbExecutor(inventorySchema, inventory, inventoryApps);
