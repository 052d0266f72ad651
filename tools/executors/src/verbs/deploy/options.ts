import type { AppStep, Step } from '../../engine/steps.ts';
import type { StepRequest, StepTask } from '../../shared/request.ts';

/** What the steps of both tiers heed. Times are in milliseconds. */
type CommonOptions = {
  readonly leaseWait?: number | undefined;
  readonly leaseTake?: string | undefined;
  readonly adopt: readonly string[];
  readonly dryRun: boolean;
  readonly timeout?: number | undefined;
};

/** What the containers' steps heed. */
export type DataOptions = CommonOptions & {
  readonly release?: string | undefined;
  readonly allowDirty: boolean;
  readonly create: readonly string[];
  readonly newHost: readonly string[];
  readonly without: readonly string[];
};

/** What the applications' steps heed. */
export type AppOptions = CommonOptions & {
  readonly commit?: string | undefined;
  readonly allowRestart: boolean;
  readonly allowIpConflicts: boolean;
  readonly acceptHostKey: boolean;
};

export type DataTask = StepTask<Step>;
export type DataRequest = StepRequest<Step, DataOptions>;
export type AppTask = StepTask<AppStep>;
export type AppRequest = StepRequest<AppStep, AppOptions>;
