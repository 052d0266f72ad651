import type { ExecutorContext } from '@nx/devkit';
import { showError } from '../../engine/errors.ts';
import { listenForInterruption } from '../shared/interruption.ts';
import { parseOnly, taskOf } from '../shared/request.ts';
import type { VerbResult } from '../shared/verb.ts';
import { type ArtifactOptions, artifactSchema } from './options.ts';

/** What the executor asks of `usecases/verbs.ts`. */
export type ArtifactRequest = {
  /** The workspace, absolute. */
  readonly root: string;
  readonly projects: readonly string[];
  readonly options: ArtifactOptions;
  /** Aborted when the run has to end; its reason is a text. */
  readonly signal: AbortSignal;
  /** Shows a line of progress at once. */
  readonly print: (line: string) => void;
};

/** Obtains a service's binaries ahead of a deploy. It touches no host, and so needs no environment. */
export async function runOne(raw: Record<string, unknown>, context: ExecutorContext): Promise<{ success: boolean }> {
  const interruption = listenForInterruption();
  try {
    const task = taskOf(context);
    const options = parseOnly(artifactSchema, raw, task);
    const { artifact } = await import('../../usecases/verbs.ts');
    const request: ArtifactRequest = {
      root: context.root,
      projects: [task.project],
      options,
      signal: interruption.signal,
      print: (line) => console.log(line),
    };
    const { success, output }: VerbResult = await artifact(request);
    console.log(output);
    return { success };
  } catch (error) {
    console.error(showError(error));
    return { success: false };
  } finally {
    interruption.done();
  }
}
