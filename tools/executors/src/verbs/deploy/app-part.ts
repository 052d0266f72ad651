import type { Change } from '../../engine/change.ts';
import type { AppInvocation } from '../../shared/app/run.ts';
import type { AppSessions } from './app-sessions.ts';
import type { AppRequest } from './options.ts';

/** What the steps of one process have in common. */
export type AppPart = {
  readonly run: AppInvocation;
  readonly options: AppRequest['options'];
  readonly sessions: AppSessions;
  /** Told what was changed. */
  readonly did: (changes: readonly Change[]) => void;
};
