import type { AppStep } from '../../engine/steps.ts';
import type { AppOptions } from '../../verbs/deploy/options.ts';
import type { LoadSteps } from '../shared/steps.ts';

/** Imports the use case, and with it everything that talks to hosts. */
export const loadApp: LoadSteps<AppStep, AppOptions> = async () => (await import('../../usecases/app/steps.ts')).appTasks;
