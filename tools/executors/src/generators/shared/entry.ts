import { detectPackageManager, type GeneratorCallback, getPackageManagerCommand, type Tree } from '@nx/devkit';
import { tooOld } from '../../engine/node.ts';

/** What nx calls. */
export type Generator = (tree: Tree, raw: Readonly<Record<string, unknown>>) => Promise<GeneratorCallback>;

/**
 * A generator whose parts are imported once it is known that this Node can: the sentence is to come before the syntax error of some
 * dependency. `nx add` and `nx g` run under whatever Node the workspace has, and each generator enters the plugin in nx.json where it is
 * not yet: under a Node that cannot load it every nx command would fail.
 *
 * @param name as in `nx g nx-mooring:<name>`
 */
export function entry(name: string, load: () => Promise<Generator>): Generator {
  return async (tree, raw) => {
    const reason = tooOld();
    if (reason !== undefined) throw refusal(reason, name, `${getPackageManagerCommand(detectPackageManager(tree.root)).rm} nx-mooring`);
    return (await load())(tree, raw);
  };
}

function refusal(reason: string, name: string, remove: string): Error {
  const shown = new Error(
    `${reason}. Nothing was written: nx.json is as it was.\n  next:    with a newer Node: npx nx g nx-mooring:${name}; or take the package out again: ${remove}`,
  );
  // Nx prints the stack of a generator's error where there is one.
  shown.stack = shown.message;
  return shown;
}
