import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import type { Step } from '../../engine/steps.ts';
import type { DataOptions } from '../../verbs/deploy/options.ts';
import { type LoadSteps, runStep, runSteps } from '../shared/steps.ts';
import { converge } from './converge.ts';

/** The use case, loaded only once the options are known to be right. */
export type LoadConverge = LoadSteps<Step, DataOptions>;

type Raw = Record<string, unknown>;

/** One step as a task of its own, as nx runs it with `--batch=false`. */
export const runOne = (load: LoadConverge, raw: Raw, context: ExecutorContext) => runStep(converge, load, raw, context);

/** All steps of a run in one process; see {@link runSteps}. */
export const runBatch = (load: LoadConverge, graph: TaskGraph, options: Readonly<Record<string, Raw>>, context: ExecutorContext) =>
  runSteps(converge, load, graph, options, context);
