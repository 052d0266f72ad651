import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { keepCompiledCode } from '../shared/compile-cache.ts';

type Options = Record<string, Record<string, unknown>>;

export default async function artifactBatch(graph: TaskGraph, options: Options, _overrides: unknown, context: ExecutorContext) {
  keepCompiledCode(context.root);
  const { runBatch } = await import('./verb.ts');
  return runBatch(graph, options, context);
}
