import type { ExecutorContext } from '@nx/devkit';
import { keepCompiledCode } from '../shared/compile-cache.ts';

export default async function drillExecutor(raw: Record<string, unknown>, context: ExecutorContext): Promise<{ success: boolean }> {
  keepCompiledCode(context.root);
  const { runOne } = await import('./verb.ts');
  return runOne(raw, context);
}
