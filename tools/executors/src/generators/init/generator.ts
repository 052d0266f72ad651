import { detectPackageManager, type GeneratorCallback, getPackageManagerCommand, type Tree } from '@nx/devkit';
import { tooOld } from '../../engine/node.ts';

/**
 * `nx add` calls it under whatever Node the workspace has. Under one that cannot load the plugin, an entry in nx.json would make every
 * nx command fail. Everything else is imported once that is known: it may be the syntax error that the sentence is to come before.
 */
export default async function init(tree: Tree, raw: Readonly<Record<string, unknown>>): Promise<GeneratorCallback> {
  const reason = tooOld();
  if (reason !== undefined) throw refusal(reason, `${getPackageManagerCommand(detectPackageManager(tree.root)).rm} nx-mooring`);
  const [{ generator }, { initialise }, { initSchema }] = await Promise.all([
    import('../shared/generator.ts'),
    import('./init.ts'),
    import('./options.ts'),
  ]);
  return generator('init', initSchema, initialise)(tree, raw);
}

function refusal(reason: string, remove: string): Error {
  const shown = new Error(
    `${reason}. Nothing was written: nx.json is as it was.\n  next:    with a newer Node: npx nx g nx-mooring:init; or take the package out again: ${remove}`,
  );
  // Nx prints the stack of a generator's error where there is one.
  shown.stack = shown.message;
  return shown;
}
