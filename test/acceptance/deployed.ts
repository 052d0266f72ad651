import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { Workspace } from '../e2e/workspace.ts';
import { ENVIRONMENT, place } from './environment.ts';
import { machine } from './machine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The workspace from which the state "deployed" was deployed, and its release. */
    deployed: { root: string; release: string };
  }
}

/** Puts the machine back to when release A was deployed, with its data. @returns a copy of the workspace as it was then */
export async function startDeployed(): Promise<{ workspace: Workspace; a: string }> {
  const { root, release } = inject('deployed');
  const copy = await mkdtemp(join(tmpdir(), `mooring-${ENVIRONMENT}-`));
  await Promise.all([machine.reset('deployed'), cp(root, copy, { recursive: true, verbatimSymlinks: true })]);
  return { workspace: new Workspace(copy, ENVIRONMENT, place), a: release };
}
