import { existsSync } from 'node:fs';
import { cp, mkdtemp, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { run, Workspace } from '../e2e/workspace.ts';
import { CONTAINERS, DistantApplication, ENVIRONMENT, makeDistantWorkspace, place, secrets } from './environment.ts';
import { machine } from './machine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the workspaces from which states of the machine were deployed in this run, each named as its state. */
    deployed: string;
  }
}

/** How often the first deploy is tried: Incus gives up what nobody connects to within five seconds, which is short for an emulated machine. */
const ATTEMPTS = 3;

/**
 * Puts the machine to where release A of containers is deployed, with data. The first file of a run that asks for these containers deploys
 * them and saves the state. Containers that a file does not need cost it a fifth of the machine, idle.
 *
 * @returns a copy of the workspace as it was then, and release A
 */
export async function startDeployed(containers: readonly string[] = CONTAINERS): Promise<{ workspace: Workspace; a: string }> {
  const state = `deployed-${containers.join('-')}`;
  const root = join(inject('deployed'), state);
  if (existsSync(root)) await machine.reset(state);
  else await deployAndSave(containers, state, root);
  const copy = await mkdtemp(join(tmpdir(), `mooring-${ENVIRONMENT}-`));
  await cp(root, copy, { recursive: true, verbatimSymlinks: true });
  return { workspace: new Workspace(copy, ENVIRONMENT, place), a: (await run('git', ['-C', copy, 'rev-parse', 'HEAD'])).trim() };
}

async function deployAndSave(containers: readonly string[], state: string, root: string): Promise<void> {
  await machine.reset('ready');
  const workspace = await makeDistantWorkspace(containers);
  await workspace.commit('release A');
  await deploy(workspace);
  await new DistantApplication(workspace, containers).write(secrets, 'of-a');
  machine.hangUp();
  await machine.save(state);
  await rename(workspace.root, root);
}

async function deploy(workspace: Workspace): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { code, output } = await workspace.configure();
    if (code === 0) return;
    console.error(`the first deploy, attempt ${attempt} of ${ATTEMPTS}:\n${output}`);
    if (attempt === ATTEMPTS) throw new Error('the first deploy failed');
  }
}
