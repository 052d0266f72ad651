import { z } from 'zod';
import { APP_STEPS } from '../../plugin/targets.ts';
import { environment } from '../shared/fields.ts';
import { type AppOptions, appOptions, stepOptions } from '../shared/step-flags.ts';
import type { StepKind, StepRequest, StepTask } from '../shared/step-request.ts';

/** Options of the three steps of an application's deploy. They take the same ones: flags are forwarded along the chain. */
export const appStepSchema = z.strictObject({
  environment,
  step: z.enum(APP_STEPS).meta({ description: 'Which step this target is: set by the plugin, never on the command line' }),
  ...stepOptions,
});

export type AppStep = (typeof APP_STEPS)[number];
export type AppTask = StepTask<AppStep>;
/** What the executors ask of `usecases/app/steps.ts`. */
export type AppRequest = StepRequest<AppStep, AppOptions>;

/** The steps of the applications. */
export const appSteps: StepKind<AppStep, AppOptions> = { schema: appStepSchema, heed: (options) => appOptions(options) as AppOptions };
