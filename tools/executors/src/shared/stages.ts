import type { Change } from '../engine/change.ts';
import type { Command, CommandResult } from '../engine/command.ts';
import { MooringError } from '../engine/errors.ts';
import { type Fact, type FactSet, factCommands, parseFacts } from '../engine/fact.ts';
import { reveal } from '../engine/secret.ts';
import type { Desired, Health, Service } from '../engine/service.ts';

/** Facts that were asked for, and what was answered to them, in their order. */
type Asked = { readonly facts: FactSet<unknown>; readonly results: readonly CommandResult[] };

/** The answers of one container to everything that its service asks: the facts of each stage, and the probe from inside. */
export type InstanceAnswers = {
  readonly stages: readonly Asked[];
  readonly probe: { readonly fact: Fact<Health>; readonly result: CommandResult };
};

/** What a stage's plan is: its changes, or that it cannot be known before an earlier stage has been applied. */
export type StagePlan = { readonly stage: string } & (
  | { readonly changes: readonly Change[] }
  | { readonly knownAfter: string; readonly warnings?: readonly string[] }
);

/** Everything to ask of a container, as one batch, and how its results are sorted back to the stages. */
export type InstanceQuestions = { readonly commands: readonly Command[]; answers(results: readonly CommandResult[]): InstanceAnswers };

/**
 * What a service asks of its container. A question that several stages ask in the same words is asked once; which ones
 * are the same is decided here and only once, for a signed request has other words a second later.
 */
export function instanceQuestions<S>(service: Service<S>, desired: Desired<S>): InstanceQuestions {
  const stages = service.stages.map((stage) => stage.facts(desired));
  const probe = service.health.inside(desired);
  const asked = [...stages.flatMap((facts) => factCommands(facts, desired.context.skipTrial)), probe.command];
  const words = asked.map(wordsOf);
  const distinct = [...new Set(words)];
  return {
    commands: distinct.map((one) => asked[words.indexOf(one)] as Command),
    answers(results) {
      if (results.length < distinct.length) throw new MooringError('the container answered less than it was asked');
      const rest = words.map((one) => results[distinct.indexOf(one)] as CommandResult);
      return {
        stages: stages.map((facts) => ({ facts, results: rest.splice(0, Object.keys(facts).length) })),
        probe: { fact: probe, result: rest[0] as CommandResult },
      };
    },
  };
}

/** The whole of a command, as a key that does not leave this module. */
function wordsOf({ argv, stdin, timeoutMs }: Command): string {
  return JSON.stringify([argv, stdin === undefined ? null : reveal(stdin), timeoutMs ?? null]);
}

/** The plan of one stage. Pure. @throws what its parsers and planner throw, with the stage's name */
export function planStage<S>(service: Service<S>, index: number, desired: Desired<S>, answers: InstanceAnswers): Change[] {
  const stage = service.stages[index];
  const asked = answers.stages[index];
  if (stage === undefined || asked === undefined) throw new RangeError(`${service.name}: stage ${index} is not there, or was not asked`);
  try {
    return stage.plan(parseFacts(asked.facts, asked.results), desired);
  } catch (error) {
    throw inStep(error, stage.name).with({ page: 'services' });
  }
}

/** The plans of all stages, as far as they can be known now. Pure. */
export function planStages<S>(service: Service<S>, desired: Desired<S>, answers: InstanceAnswers): StagePlan[] {
  let pending: string | undefined;
  return service.stages.map((stage, i) => {
    if (pending !== undefined) return { stage: stage.name, knownAfter: pending };
    const changes = planStage(service, i, desired, answers);
    if (changes.length > 0) pending = stage.name;
    return { stage: stage.name, changes };
  });
}

/** What the probe from inside found. @throws MooringError when the service is not healthy */
export function parseProbe({ probe }: Pick<InstanceAnswers, 'probe'>): Health {
  try {
    return probe.fact.parse(probe.result);
  } catch (error) {
    throw inStep(error, 'verify').with({ page: 'services' });
  }
}

/** The error with the step's name, whatever it was. */
export function inStep(error: unknown, step: string): MooringError {
  if (error instanceof MooringError) return error.with({ step });
  return new MooringError(error instanceof Error ? error.message : String(error), { step }, error);
}
