import type { CreateNodes, PostTasksExecution, PreTasksExecution } from '@nx/devkit';
import { assertNode } from './engine/node.ts';
import { assertFresh } from './plugin/fresh.ts';
import type { PluginOptions } from './workspace/files.ts';

// Asked while the plugin is loaded: what is thrown later, of files, `nx run-many`, `affected` and `graph` do not print. Everything else is
// imported inside the functions: under an older Node the import itself would be the error.
assertNode();
assertFresh();

/** Makes projects of `container.json`, `storage.json` and `app.json`; a configuration of each `environments/*.json`. */
export const createNodes: CreateNodes<PluginOptions> = [
  '**/{container.json,storage.json,app.json,environments/*.json}',
  async (files, options, context) => {
    const { inferProjects } = await import('./plugin/infer.ts');
    return inferProjects(files, options, context);
  },
];

/** Refuses a command whose environment is missing or unknown, and hands out the run's id. */
export const preTasksExecution: PreTasksExecution<PluginOptions> = async (options, context) => {
  // The daemon has loaded the plugin long ago.
  assertFresh();
  const { beforeTasks } = await import('./plugin/hooks.ts');
  await beforeTasks(options, context);
};

/** Lets go early of what a run holds on its hosts. */
export const postTasksExecution: PostTasksExecution<PluginOptions> = async (options, context) => {
  const { afterTasks } = await import('./plugin/hooks.ts');
  await afterTasks(options, context);
};
