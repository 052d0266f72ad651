import type { ExecutorContext } from '@nx/devkit';
import { showError } from '../../engine/errors.ts';
import { parseOnly, taskOf } from '../shared/request.ts';
import { artifactSchema } from './options.ts';

/** Obtains a service's binaries ahead of a deploy. */
export default async function artifactExecutor(raw: Record<string, unknown>, context: ExecutorContext): Promise<{ success: boolean }> {
  try {
    const task = taskOf(context);
    parseOnly(artifactSchema, raw, task);
    const { artifact } = await import('../../usecases/verbs.ts');
    const { success, output } = await artifact({ root: context.root, projects: [task.project] });
    console.log(output);
    return { success };
  } catch (error) {
    console.error(showError(error));
    return { success: false };
  }
}
