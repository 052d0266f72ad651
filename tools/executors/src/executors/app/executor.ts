import type { ExecutorContext } from '@nx/devkit';
import { keepCompiledCode } from '../shared/compile-cache.ts';

export default async function app(raw: Record<string, unknown>, context: ExecutorContext): Promise<{ success: boolean }> {
  keepCompiledCode(context.root);
  const [{ runStep }, { appSteps }, { loadApp }] = await Promise.all([
    import('../shared/steps.ts'),
    import('./options.ts'),
    import('./load.ts'),
  ]);
  return runStep(appSteps, loadApp, raw, context);
}
