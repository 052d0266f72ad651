import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import type { z } from 'zod';
import type { LoadAhead } from './ahead.ts';
import { keepCompiledCode } from './compile-cache.ts';
import type { BatchResult } from './request.ts';
import type { LoadSteps, StepResults } from './steps.ts';
import type { LoadVerb } from './verb.ts';

/*
 * What `entries.ts` is made of. Whatever an entry imports at its top is compiled before Node keeps anything (compile-cache.ts): all else
 * is imported when it is called.
 */

type Raw = Record<string, unknown>;
type One = (raw: Raw, context: ExecutorContext) => Promise<{ success: boolean }>;
type Options = { environment?: string | undefined };
/** What Nx takes from a batch: all results at its end, or each as it is there. */
type Batch<R> = (graph: TaskGraph, options: Record<string, Raw>, overrides: unknown, context: ExecutorContext) => Promise<R>;

/** The executor of a verb, for one project. */
export function verb<S extends z.ZodType<Options>, T, P, U, Q>(load: LoadVerb<S, T, P, U, Q>): One {
  return async (raw, context) => {
    keepCompiledCode(context.root);
    return (await import('./verb.ts')).runVerb(load, raw, context);
  };
}

/** The same for all projects of a run at once. */
export function verbBatch<S extends z.ZodType<Options>, T, P, U, Q>(load: LoadVerb<S, T, P, U, Q>): Batch<Record<string, BatchResult>> {
  return async (graph, options, _, context) => {
    keepCompiledCode(context.root);
    return (await import('./verb.ts')).runVerbBatch(load, graph, options, context);
  };
}

/** The executor of the steps of a deploy, for one step. */
export function steps<S extends string, O>(load: LoadSteps<S, O>): One {
  return async (raw, context) => {
    keepCompiledCode(context.root);
    return (await import('./steps.ts')).runStep(load, raw, context);
  };
}

/** The same for all steps of a run at once. */
export function stepsBatch<S extends string, O>(load: LoadSteps<S, O>): Batch<StepResults> {
  return async (graph, options, _, context) => {
    keepCompiledCode(context.root);
    return (await import('./steps.ts')).runSteps(load, graph, options, context);
  };
}

/** The executor of a verb that needs no environment. */
export function ahead<S extends z.ZodType<{ json: boolean }>, T>(load: LoadAhead<S, T>): One {
  return async (raw, context) => {
    keepCompiledCode(context.root);
    return (await import('./ahead.ts')).runAhead(load, raw, context);
  };
}

/** The same for all projects of a run. */
export function aheadBatch<S extends z.ZodType<{ json: boolean }>, T>(load: LoadAhead<S, T>): Batch<Record<string, BatchResult>> {
  return async (graph, options, _, context) => {
    keepCompiledCode(context.root);
    return (await import('./ahead.ts')).runAheadBatch(load, graph, options, context);
  };
}
