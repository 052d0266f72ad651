import type { InventoryOptions } from '../verbs/inventory/options.ts';
import type { Report } from './report.ts';

/** An inventory is for Ansible: JSON in any case, and nothing beside it. */
export const inventoryReport: Report<Record<string, unknown>, InventoryOptions> = {
  text: (data, _, clean) => clean.json(data, 2),
  json: (data, clean) => clean.json(data, 2),
  isData: true,
};
export const inventoryAppsReport = inventoryReport;
