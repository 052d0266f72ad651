import { dataOptions } from '../shared/step-flags.ts';
import type { StepKind, StepRequest, StepResult, StepTask } from '../shared/step-request.ts';
import { type ConvergeOptions, type ConvergeStep, convergeSchema } from './options.ts';

export type ConvergeTask = StepTask<ConvergeStep>;
/** What the executors ask of `usecases/converge.ts`. */
export type ConvergeRequest = StepRequest<ConvergeStep, ConvergeOptions>;
export type ConvergeResult = StepResult;

/** The steps of the containers and of their storage. */
export const converge: StepKind<ConvergeStep, ConvergeOptions> = {
  schema: convergeSchema,
  heed: (options) => dataOptions(options) as ConvergeOptions,
};
