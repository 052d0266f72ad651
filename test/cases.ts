import { expect } from 'vitest';
import type { Change } from '../tools/executors/src/engine/change.ts';
import type { Fact } from '../tools/executors/src/engine/fact.ts';
import { Secret } from '../tools/executors/src/engine/secret.ts';
import { resolveReferences } from '../tools/executors/src/engine/secret-reference.ts';
import type { Desired, Service, Stage } from '../tools/executors/src/engine/service.ts';
import { undoCommands, whatGoesBack } from '../tools/executors/src/verbs/deploy/take-back.ts';

/** What a tool said, as the command of a fact prints it; of several lines, each ends with a line end. */
export type Answer = { readonly stdout?: string | readonly string[]; readonly stderr?: string; readonly code?: number };

/** A planner's decision as a file says it: `{stage, settings, facts}` in, `{changes, commands, undo}` or `{refuses}` out. */
export type PlannerCase = {
  readonly stage: string;
  readonly settings: unknown;
  readonly context?: object;
  readonly facts?: object;
  /** Facts as the tools' own answers, which their parsers read: by the name of the fact, in the place of `facts` or beside them. */
  readonly answers?: Readonly<Record<string, Answer>>;
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
  const plan = () => stage.plan({ ...structuredClone(given.facts), ...parsed(stage, given, desired) }, desired);
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

/** The facts that a case gives as answers, read by their own parsers. */
function parsed<S>(stage: Stage<S, unknown>, { answers = {} }: PlannerCase, desired: Desired<S>): Record<string, unknown> {
  const facts = stage.facts(desired) as Readonly<Record<string, Fact<unknown>>>;
  return Object.fromEntries(
    Object.entries(answers).map(([name, { stdout = '', stderr = '', code = 0 }]) => {
      const fact = facts[name];
      if (fact === undefined) throw new Error(`stage ${stage.name} has no fact ${name}`);
      const text = typeof stdout === 'string' ? stdout : stdout.map((line) => `${line}\n`).join('');
      return [name, fact.parse({ command: fact.command, code, stdout: text, stderr })];
    }),
  );
}

/** The facts whose parsers no case feeds, as `stage: fact`. */
export function unfed<S>(
  cases: readonly { readonly given: PlannerCase; readonly service: Service<S>; readonly desired: Desired<S> }[],
): string[] {
  const all = new Set(cases.flatMap(({ service, desired }) => service.stages.flatMap((stage) => factsOf(stage, desired))));
  for (const { given } of cases) {
    // What is refused by a parser on its way to the plan has not been read.
    if (given.refuses === undefined) for (const name of Object.keys(given.answers ?? {})) all.delete(`${given.stage}: ${name}`);
  }
  return [...all];
}

function factsOf<S>(stage: Stage<S, unknown>, desired: Desired<S>): string[] {
  return Object.keys(stage.facts(desired) as object).map((name) => `${stage.name}: ${name}`);
}
