import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/** A folder for what the files of one run share: the workspaces from which saved states were deployed. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-deployed-'));
  project.provide('deployed', folder);
  return () => rm(folder, { recursive: true });
}
