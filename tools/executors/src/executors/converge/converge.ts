import type { Step } from '../../engine/steps.ts';
import type { DataOptions } from '../../verbs/deploy/options.ts';
import { dataOptions } from '../shared/step-flags.ts';
import type { StepKind } from '../shared/step-request.ts';
import { convergeSchema } from './options.ts';

/** The steps of the containers and of their storage. */
export const converge: StepKind<Step, DataOptions> = { schema: convergeSchema, heed: dataOptions };
