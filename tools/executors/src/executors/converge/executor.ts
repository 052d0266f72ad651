import type { ExecutorContext } from '@nx/devkit';
import { loadConverge } from './load.ts';
import { runOne } from './run.ts';

export default function converge(raw: Record<string, unknown>, context: ExecutorContext): Promise<{ success: boolean }> {
  return runOne(loadConverge, raw, context);
}
