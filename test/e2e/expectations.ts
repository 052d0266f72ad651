import { expect } from 'vitest';
import { seenFromOutside } from './outside.ts';
import type { Ended, Workspace } from './workspace.ts';

export type Refusal = {
  /** What the output must say: the cause and the next step. */
  readonly says: readonly (string | RegExp)[];
  /** Containers that run and are looked into; all instances are looked at anyway. */
  readonly containers?: readonly string[];
  /**
   * The failure comes after the first change was decided on: the restore point that was cut before it may stay, with its
   * marks. Nothing else may.
   */
  readonly restorePointMayStay?: boolean;
};

/** A command that ends with exit code 1, names its cause and the next step, and touches nothing that can be seen from outside. */
export async function expectRefused(workspace: Workspace, attempt: () => Promise<Ended>, refusal: Refusal): Promise<string> {
  const { says, containers = [], restorePointMayStay = false } = refusal;
  const look = async () => {
    const seen = await seenFromOutside(workspace, containers);
    return restorePointMayStay ? withoutRestorePoints(seen) : seen;
  };
  const before = await look();
  const { code, output } = await attempt();
  expect(code, output).toBe(1);
  for (const words of says) {
    if (typeof words === 'string') expect(output).toContain(words);
    else expect(output).toMatch(words);
  }
  expect(output).toMatch(/^ *next: {4}\S/m);
  expect(output).toMatch(/^ *more: {4}docs\/\S+\.md/m);
  expect(await look()).toEqual(before);
  return output;
}

/** A deploy that ends with exit code 0. @returns what it printed */
export async function expectConverged(attempt: Promise<Ended>): Promise<string> {
  const { code, output } = await attempt;
  expect(code, output).toBe(0);
  return output;
}

/** The deploy after the cause is gone, of everything or of one project; files may be changed and not committed. */
export function converge(workspace: Workspace, project?: string): Promise<string> {
  return expectConverged(
    project === undefined ? workspace.configure('--allow-dirty') : workspace.run(project, 'configure', '--allow-dirty'),
  );
}

/** What was seen, less the snapshots and the keys that tell what they belong to. */
function withoutRestorePoints(seen: Record<string, unknown>): Record<string, unknown> {
  const instances = (seen.instances as { config: Record<string, string>; snapshots: string[] }[]).map(
    ({ snapshots: _, config, ...rest }) => ({
      ...rest,
      config: Object.fromEntries(Object.entries(config).filter(([key]) => !/^user\.mooring\.set(-|$)/.test(key))),
    }),
  );
  return { ...seen, instances };
}
