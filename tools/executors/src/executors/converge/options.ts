import { z } from 'zod';
import { STEPS, type Step } from '../../plugin/targets.ts';
import { environment } from '../shared/fields.ts';
import { type DataOptions, stepOptions } from '../shared/step-flags.ts';

/** Options of the four steps of a deploy. They take the same ones: flags are forwarded along the chain. */
export const convergeSchema = z.strictObject({
  environment,
  step: z.enum(STEPS).meta({ description: 'Which step this target is: set by the plugin, never on the command line' }),
  ...stepOptions,
});

export type ConvergeStep = Step;
/** What the use case is given: times in milliseconds. `environment` and `step` are told apart from them. */
export type ConvergeOptions = DataOptions;
