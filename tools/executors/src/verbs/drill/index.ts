import { randomBytes } from 'node:crypto';
import { newRunId, RUN_ID } from '../../engine/run-id.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { drill as perform } from './drill.ts';
import type { Drilled } from './drilled.ts';
import type { DrillOptions } from './options.ts';

/** Proves that a restore point can be restored, on a throw-away copy. @throws MooringError */
export const drill = (request: VerbRequest<DrillOptions>): Promise<Answer<Drilled>> =>
  perform(request, {
    runId: process.env[RUN_ID] ?? newRunId(new Date(), randomBytes(6)),
    random: randomBytes(3),
    now: () => new Date(),
    seconds: () => performance.now() / 1000,
  });
