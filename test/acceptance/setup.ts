import type { TestProject } from 'vitest/node';
import type { Workspace } from '../e2e/workspace.ts';
import { DistantApplication, discard, makeDistantWorkspace, secrets } from './environment.ts';
import { machine } from './machine.ts';

/** Deploys release A of all four services once, writes data, and saves the state "deployed": every test file begins with it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await machine.reset('ready');
  const workspace = await makeDistantWorkspace();
  const release = await workspace.commit('release A');
  await deploy(workspace);
  await new DistantApplication(workspace).write(secrets, 'of-a');
  machine.hangUp();
  await machine.save('deployed');
  project.provide('deployed', { root: workspace.root, release });
  return () => discard(workspace);
}

/** How often the first deploy is tried: Incus gives up what nobody connects to within five seconds, which is short for an emulated machine. */
const ATTEMPTS = 3;

async function deploy(workspace: Workspace): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { code, output } = await workspace.configure();
    if (code === 0) return;
    console.error(`the first deploy, attempt ${attempt} of ${ATTEMPTS}:\n${output}`);
    if (attempt === ATTEMPTS) throw new Error('the first deploy failed');
  }
}
