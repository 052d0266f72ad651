import type { AppOptions } from '../shared/step-flags.ts';
import type { LoadSteps } from '../shared/steps.ts';
import type { AppStep } from './options.ts';

/** Imports the use case, and with it everything that talks to hosts. */
export const loadApp: LoadSteps<AppStep, AppOptions> = async () => (await import('../../usecases/app/steps.ts')).appTasks;
