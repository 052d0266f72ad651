import { NotPartError } from '../../engine/errors.ts';
import { redactor } from '../../engine/redactor.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { appsOf } from '../../workspace/app-target.ts';
import { environmentOf } from '../../workspace/load.ts';
import { appInventoryOf } from './ansible-guests.ts';
import type { InventoryOptions } from './options.ts';

/** The guests as an Ansible inventory. It is in the files: nobody is asked, and no secret is read. */
export async function inventoryApps({
  root,
  environment,
  world,
  projects,
  options,
}: VerbRequest<InventoryOptions>): Promise<Answer<Record<string, unknown>>> {
  const workspace = await world.files.look();
  const asked = environmentOf(workspace, environment);
  const all = options.all ? [...workspace.environments.values()] : [asked];
  const targets = all.flatMap((one) => appsOf(workspace.apps, one)).filter(({ project }) => options.all || projects.includes(project));
  if (targets.length === 0) throw new NotPartError(`${projects.join(', ')}: not part of ${environment}`);
  return { success: true, data: appInventoryOf(targets, { root, infra: workspace.infra }), clean: redactor([]) };
}
