import { runIdOf } from '../../engine/run-id.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { drill as perform } from './drill.ts';
import type { Drilled } from './drilled.ts';
import type { DrillOptions } from './options.ts';

/** Proves that a restore point can be restored, on a throw-away copy. @throws MooringError */
export const drill = (request: VerbRequest<DrillOptions>): Promise<Answer<Drilled>> =>
  perform(request, {
    runId: runIdOf(request.world),
    random: request.world.random(3),
    now: request.world.now,
    seconds: request.world.seconds,
  });
