import type { ExecutorContext } from '@nx/devkit';
import { showError } from '../../engine/errors.ts';
import { listenForInterruption } from '../shared/interruption.ts';
import { taskOf } from '../shared/request.ts';
import { convergeRequest } from './converge.ts';

/** One step as a task of its own: `--batch=false`. */
export default async function converge(raw: Record<string, unknown>, context: ExecutorContext): Promise<{ success: boolean }> {
  const interruption = listenForInterruption();
  try {
    const request = convergeRequest([{ task: taskOf(context), raw, dependsOn: [] }], context, interruption.signal);
    const { convergeTasks } = await import('../../usecases/converge.ts');
    let success = false;
    for await (const result of convergeTasks(request)) {
      console.log(result.output);
      success = result.success;
    }
    return { success };
  } catch (error) {
    console.error(showError(error));
    return { success: false };
  } finally {
    interruption.done();
  }
}
