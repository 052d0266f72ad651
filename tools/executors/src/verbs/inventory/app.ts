import { NotPartError } from '../../engine/errors.ts';
import type { VerbRequest, VerbResult } from '../../shared/request.ts';
import { appsOf } from '../../workspace/app-target.ts';
import { infraFolder } from '../../workspace/files.ts';
import { environmentOf, loadToLook } from '../../workspace/load.ts';
import { writeOut } from '../../workspace/out-file.ts';
import { showAppInventory } from './ansible-guests.ts';
import type { InventoryOptions } from './options.ts';

/** The guests as an Ansible inventory. It is in the files: nobody is asked, and no secret is read. */
export async function inventoryApps({ root, environment, projects, options }: VerbRequest<InventoryOptions>): Promise<VerbResult> {
  const workspace = await loadToLook(root);
  const asked = environmentOf(workspace, environment);
  const all = options.all ? [...workspace.environments.values()] : [asked];
  const targets = all.flatMap((one) => appsOf(workspace.apps, one)).filter(({ project }) => options.all || projects.includes(project));
  if (targets.length === 0) throw new NotPartError(`${projects.join(', ')}: not part of ${environment}`);
  const output = showAppInventory(targets, { root, infra: infraFolder(root) });
  if (options.out !== undefined) await writeOut(options.out, `${output}\n`);
  return { success: true, output };
}
