import type { TestProject } from 'vitest/node';
import { DistantApplication, discard, makeDistantWorkspace, secrets } from './environment.ts';
import { machine } from './machine.ts';

/** Deploys release A of all four services once, writes data, and saves the state "deployed": every test file begins with it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await machine.reset('ready');
  const workspace = await makeDistantWorkspace();
  const release = await workspace.commit('release A');
  const { code, output } = await workspace.configure();
  if (code !== 0) throw new Error(`the first deploy failed:\n${output}`);
  await new DistantApplication(workspace).write(secrets, 'of-a');
  machine.hangUp();
  await machine.save('deployed');
  project.provide('deployed', { root: workspace.root, release });
  return () => discard(workspace);
}
