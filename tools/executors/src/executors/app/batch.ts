import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { keepCompiledCode } from '../shared/compile-cache.ts';

type Options = Record<string, Record<string, unknown>>;

export default async function appBatch(graph: TaskGraph, options: Options, _overrides: unknown, context: ExecutorContext) {
  keepCompiledCode(context.root);
  const [{ runSteps }, { appSteps }, { loadApp }] = await Promise.all([
    import('../shared/steps.ts'),
    import('./options.ts'),
    import('./load.ts'),
  ]);
  return runSteps(appSteps, loadApp, graph, options, context);
}
