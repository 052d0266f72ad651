import { z } from 'zod';
import { environment } from '../../engine/option-fields.ts';
import { STEPS } from '../../engine/steps.ts';
import { stepOptions } from '../shared/step-flags.ts';

/** Options of the four steps of a deploy. They take the same ones: flags are forwarded along the chain. */
export const convergeSchema = z.strictObject({
  environment,
  step: z.enum(STEPS).meta({ description: 'Which step this target is: set by the plugin, never on the command line' }),
  ...stepOptions,
});
