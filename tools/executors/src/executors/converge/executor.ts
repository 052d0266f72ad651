import type { ExecutorContext } from '@nx/devkit';
import { keepCompiledCode } from '../shared/compile-cache.ts';

export default async function converge(raw: Record<string, unknown>, context: ExecutorContext): Promise<{ success: boolean }> {
  keepCompiledCode(context.root);
  const [{ runOne }, { loadConverge }] = await Promise.all([import('./run.ts'), import('./load.ts')]);
  return runOne(loadConverge, raw, context);
}
