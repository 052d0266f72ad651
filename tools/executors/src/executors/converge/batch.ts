import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { loadConverge } from './load.ts';
import { runBatch } from './run.ts';

export default function convergeBatch(
  graph: TaskGraph,
  options: Record<string, Record<string, unknown>>,
  _overrides: unknown,
  context: ExecutorContext,
) {
  return runBatch(loadConverge, graph, options, context);
}
