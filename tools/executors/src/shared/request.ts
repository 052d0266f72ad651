import type { MooringError } from '../engine/errors.ts';
import type { Redactor } from '../engine/redactor.ts';
import type { World } from './world.ts';

/** What every verb is asked with, whoever asks. */
type Request<O> = {
  /** The workspace, absolute. */
  readonly root: string;
  readonly environment: string;
  /** All that is outside of the verb. */
  readonly world: World;
  readonly options: O;
  /** Aborted when the run has to end; its reason is a text. */
  readonly signal: AbortSignal;
  /** Shows a line of progress at once. */
  readonly print: (line: string) => void;
};

/** Flags of several verbs that decide how a run is opened. */
export type RunFlags = {
  readonly adopt?: readonly string[];
  readonly leaveBehind?: readonly string[];
  readonly newHost?: readonly string[];
  readonly without?: readonly string[];
  readonly skipTrial?: boolean;
};

/**
 * Asks a person.
 *
 * @returns the answer, without spaces around it
 */
export type Ask = (question: string) => Promise<string>;

/**
 * What is asked of a verb that stands beside the deploy. Its progress goes to stderr: a caller may parse the output.
 *
 * @typeParam P what it shows before it asks a person
 */
export type VerbRequest<O, P = never> = Request<O> & {
  /** The projects the verb was asked for, containers and the storage project alike. */
  readonly projects: readonly string[];
  /** Nothing where there is no terminal. */
  readonly ask: Ask | undefined;
  /** Shows what a person is asked about. */
  readonly preview: (data: P, clean: Redactor) => void;
};

/** How a verb ended, and what it found or did. */
export type Outcome<T> = {
  readonly success: boolean;
  readonly data: T;
  /** Which of the projects failed; all of them when left out. */
  readonly failed?: readonly string[];
  /** What could not be asked, by the name of a host or container: the answer lacks it, and is no success. */
  readonly absent?: ReadonlyMap<string, MooringError>;
};

/** The same, with what hides the secrets of its run in all that is made of it. */
export type Answer<T> = Outcome<T> & { readonly clean: Redactor };

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
