import type { CreateNodes, PostTasksExecution, PreTasksExecution } from '@nx/devkit';
import { assertNode } from './plugin/node.ts';
import type { PluginOptions } from './workspace/files.ts';

// Everything else is imported inside the functions: under an older Node the import itself would be the error.

/** Makes projects of `container.json`, `storage.json` and `app.json`; a configuration of each `environments/*.json`. */
export const createNodes: CreateNodes<PluginOptions> = [
  '**/{container.json,storage.json,app.json,environments/*.json}',
  async (files, options, context) => {
    assertNode();
    const [{ assertFresh }, { inferProjects }] = await Promise.all([import('./plugin/fresh.ts'), import('./plugin/infer.ts')]);
    assertFresh();
    return inferProjects(files, options, context);
  },
];

/** Refuses a command whose environment is missing or unknown, and hands out the run's id. */
export const preTasksExecution: PreTasksExecution<PluginOptions> = async (options, context) => {
  assertNode();
  const [{ assertFresh }, { beforeTasks }] = await Promise.all([import('./plugin/fresh.ts'), import('./plugin/hooks.ts')]);
  assertFresh();
  beforeTasks(options, context);
};

/** Lets go early of what a run holds on its hosts. */
export const postTasksExecution: PostTasksExecution<PluginOptions> = async (options, context) => {
  const { afterTasks } = await import('./plugin/hooks.ts');
  await afterTasks(options, context);
};
