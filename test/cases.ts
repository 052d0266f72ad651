import { expect } from 'vitest';
import type { Change } from '../tools/executors/src/engine/change.ts';
import { Secret } from '../tools/executors/src/engine/secret.ts';
import { resolveReferences } from '../tools/executors/src/engine/secret-reference.ts';
import type { Desired, Service } from '../tools/executors/src/engine/service.ts';
import { undoCommands, whatGoesBack } from '../tools/executors/src/verbs/deploy/take-back.ts';

/** A planner's decision as a file says it: `{stage, settings, facts}` in, `{changes, commands, undo}` or `{refuses}` out. */
export type PlannerCase = {
  readonly stage: string;
  readonly settings: unknown;
  readonly context?: object;
  readonly facts: unknown;
  readonly changes?: Partial<Change>[];
  readonly commands?: unknown[];
  /** All that takes the changes back, in its order; see `undoCommands`. */
  readonly undo?: unknown[];
  readonly refuses?: string;
};

/** The settings of a case, with a value that is told apart in place of each secret. */
export function caseSettings(settings: unknown): unknown {
  return resolveReferences(settings, (secret) => new Secret(`value-of-${secret}`));
}

/** Plans the case and compares: changes as the operator sees them, commands as they are run, no secret in either. */
export function checkCase<S>(service: Service<S>, given: PlannerCase, desired: Desired<S>): void {
  const stage = service.stages.find((candidate) => candidate.name === given.stage);
  if (stage === undefined) throw new Error(`no stage ${given.stage}`);
  const plan = () => stage.plan(structuredClone(given.facts), desired);
  if (given.refuses !== undefined) {
    expect(plan).toThrow(given.refuses);
    return;
  }
  const changes = plan();
  const shown = changes.map(({ commands: _, because: __, undo: ___, afterUndo: ____, ...change }) => JSON.parse(JSON.stringify(change)));
  expect(shown).toEqual(given.changes);
  const commands = changes.flatMap((change) => change.commands).map((command) => ('argv' in command ? command.argv : command));
  if (given.commands !== undefined) expect(commands).toEqual(given.commands);
  const back = undoCommands(whatGoesBack(changes).undone).map(({ argv }) => argv);
  if (given.undo !== undefined) expect(back).toEqual(given.undo);
  const visible = JSON.stringify([changes, commands, back]);
  expect(visible).not.toContain('value-of-');
  expect(visible).not.toContain(Buffer.from('value-of-').toString('base64').slice(0, -1));
  for (const change of changes) expect(change.because, `${change.resource} gives its reason`).toMatch(/\w/);
}
