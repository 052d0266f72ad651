import { z } from 'zod';
import { environment } from '../../engine/option-fields.ts';
import { APP_STEPS, type AppStep } from '../../engine/steps.ts';
import type { AppOptions } from '../../verbs/deploy/options.ts';
import { appOptions, stepOptions } from '../shared/step-flags.ts';
import type { StepKind } from '../shared/step-request.ts';

/** Options of the three steps of an application's deploy. They take the same ones: flags are forwarded along the chain. */
export const appStepSchema = z.strictObject({
  environment,
  step: z.enum(APP_STEPS).meta({ description: 'Which step this target is: set by the plugin, never on the command line' }),
  ...stepOptions,
});

/** The steps of the applications. */
export const appSteps: StepKind<AppStep, AppOptions> = { schema: appStepSchema, heed: appOptions };
