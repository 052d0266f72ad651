/** What every verb is asked with, whoever asks. */
type Request<O> = {
  /** The workspace, absolute. */
  readonly root: string;
  readonly environment: string;
  readonly options: O;
  /** Aborted when the run has to end; its reason is a text. */
  readonly signal: AbortSignal;
  /** Shows a line of progress at once. */
  readonly print: (line: string) => void;
};

/** What is asked of a verb that stands beside the deploy. Its progress goes to stderr: a caller may parse the output. */
export type VerbRequest<O> = Request<O> & {
  /** The projects the verb was asked for, containers and the storage project alike. */
  readonly projects: readonly string[];
};

/** How a verb ended. */
export type VerbResult = {
  readonly success: boolean;
  /** For the terminal, secrets not in it. */
  readonly output: string;
  /** Which of the projects failed; all of them when left out. */
  readonly failed?: readonly string[];
};

/** A step of one project, and the steps (of the same request) that must have succeeded before it. */
export type StepTask<S extends string> = {
  readonly id: string;
  readonly project: string;
  readonly step: S;
  readonly dependsOn: readonly string[];
};

/** What is asked of a deploy: some of its steps. */
export type StepRequest<S extends string, O> = Request<O> & {
  readonly runId: string;
  readonly tasks: readonly StepTask<S>[];
  /** Every project of the nx run, those of other batches and processes too. */
  readonly projects: readonly string[];
};

/** How a task of the request ended; `output` is for the terminal, secrets not in it. */
export type StepResult = { readonly id: string; readonly success: boolean; readonly output: string };
