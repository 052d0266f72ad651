import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { keepCompiledCode } from '../shared/compile-cache.ts';

type Options = Record<string, Record<string, unknown>>;

export default async function convergeBatch(graph: TaskGraph, options: Options, _overrides: unknown, context: ExecutorContext) {
  keepCompiledCode(context.root);
  const [{ runBatch }, { loadConverge }] = await Promise.all([import('./run.ts'), import('./load.ts')]);
  return runBatch(loadConverge, graph, options, context);
}
