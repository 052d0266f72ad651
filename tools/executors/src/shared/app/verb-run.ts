import { explainedBy } from '../../engine/errors.ts';
import type { FoundGuest } from '../../engine/guest-platform.ts';
import { answered } from '../answer.ts';
import { type Attempted, attempt } from '../attempt.ts';
import type { Answer, Outcome, RunFlags } from '../request.ts';
import type { RunRequest } from '../run.ts';
import { inStep } from '../stages.ts';
import type { AnyRequest } from '../verb-run.ts';
import { reach } from './reach.ts';
import { type AppInvocation, openAppRun } from './run.ts';
import { mustRun } from './running.ts';
import { Session } from './session.ts';
import type { PreparedApp } from './target.ts';

/** Long enough for a guest that is up: a verb that only looks waits for none that starts. */
const LOOK_MS = 15_000;

/** Does the work of a verb with everything known that can be known on this machine, and closes the connections after it. */
export function withAppRun<T>(request: AnyRequest, work: (run: AppInvocation) => Promise<Outcome<T>>, runId: string): Promise<Answer<T>> {
  return opened({ ...request, runId }, work);
}

/** As {@link withAppRun}, for a verb that only looks: a mistake of a container keeps nobody from looking at an application. */
export function withAppLook<T>(request: AnyRequest, work: (run: AppInvocation) => Promise<Outcome<T>>): Promise<Answer<T>> {
  return opened({ ...request, runId: 'none', looks: true }, work);
}

function opened<T>(
  request: AnyRequest & Pick<RunRequest, 'runId' | 'looks'>,
  work: (run: AppInvocation) => Promise<Outcome<T>>,
): Promise<Answer<T>> {
  const { adopt, skipTrial }: RunFlags = request.options;
  return answered(openAppRun({ ...request, adopt, skipTrial }), (run) => work(run).catch(explainedBy('applications')));
}

/** What became of one application. */
export type AppOutcome<T> = { readonly project: string } & Attempted<T>;

/** Does something with each application of a run; those that fail are told, and the others all the same. */
export async function eachApp<T>(
  run: AppInvocation,
  step: string,
  work: (target: PreparedApp) => Promise<T>,
): Promise<Outcome<AppOutcome<T>[]>> {
  const data = await Promise.all(
    run.targets.map(async (target): Promise<AppOutcome<T>> => {
      const done = await attempt(() => work(target));
      if ('error' in done) {
        inStep(done.error, step).with({ instance: target.guest.name, page: 'applications' });
        run.clean.error(done.error);
      }
      return { project: target.project, ...done };
    }),
  );
  const failed = data.flatMap((one) => ('error' in one ? [one.project] : []));
  return { success: failed.length === 0, data, failed };
}

/** The guest as it is, and the way into it if it runs. */
export async function enter(
  run: AppInvocation,
  target: PreparedApp,
): Promise<{ guest: FoundGuest | undefined; session: Session | undefined }> {
  const guest = await run.platform.find(target.wanted);
  return { guest, session: guest?.state === 'running' ? await sessionIn(run, target, guest) : undefined };
}

/** The way into a guest that must run. @throws MooringError with what makes it so */
export async function enterRunning(run: AppInvocation, target: PreparedApp): Promise<Session> {
  return sessionIn(run, target, await mustRun(run, target));
}

async function sessionIn(run: AppInvocation, target: PreparedApp, guest: FoundGuest): Promise<Session> {
  return new Session(run, target, await reach(run, target, guest, { acceptHostKey: false, timeoutMs: LOOK_MS }));
}
