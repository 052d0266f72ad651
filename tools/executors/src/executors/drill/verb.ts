import { randomBytes } from 'node:crypto';
import { newRunId, RUN_ID } from '../../engine/run-id.ts';
import { verbExecutor } from '../shared/verb.ts';
import { drillSchema } from './options.ts';

// The use case is imported once the options are known to be right.
export const runOne = verbExecutor(drillSchema, async (request) =>
  (await import('../../usecases/drill.ts')).drill(request, {
    runId: process.env[RUN_ID] ?? newRunId(new Date(), randomBytes(6)),
    random: randomBytes(3),
    now: () => new Date(),
    seconds: () => performance.now() / 1000,
  }),
);
