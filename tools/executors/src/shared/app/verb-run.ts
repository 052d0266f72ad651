import { explainedBy, MooringError, showError } from '../../engine/errors.ts';
import { CleanText } from '../../engine/redactor.ts';
import { type Guest, readGuest } from '../../platforms/proxmox/index.ts';
import type { PlanOptions } from '../../verbs/plan/options.ts';
import type { VerbRequest, VerbResult } from '../request.ts';
import type { RunRequest } from '../run.ts';
import { inStep } from '../stages.ts';
import type { VerbAnswer } from '../verb-run.ts';
import { reach } from './reach.ts';
import { type AppReady, type AppRun, openAppRun } from './run.ts';
import { Session } from './session.ts';

/** Long enough for a guest that is up: a verb that only looks waits for none that starts. */
const LOOK_MS = 15_000;

/** Does the work of a verb with everything known that can be known on this machine, and closes the connections after it. */
export function withAppRun(request: VerbRequest<object>, work: (run: AppRun) => Promise<VerbAnswer>, runId: string): Promise<VerbResult> {
  return opened({ ...request, runId }, work);
}

/** As {@link withAppRun}, for a verb that only looks: a mistake of a container keeps nobody from looking at an application. */
export function withAppLook(request: VerbRequest<object>, work: (run: AppRun) => Promise<VerbAnswer>): Promise<VerbResult> {
  return opened({ ...request, runId: 'none', looks: true }, work);
}

async function opened(
  request: VerbRequest<object> & Pick<RunRequest, 'runId' | 'looks'>,
  work: (run: AppRun) => Promise<VerbAnswer>,
): Promise<VerbResult> {
  const { adopt, skipTrial }: Partial<Pick<PlanOptions, 'adopt' | 'skipTrial'>> = request.options;
  const run = await openAppRun({ ...request, adopt, skipTrial });
  try {
    const result = await work(run).catch(explainedBy('applications'));
    return { ...result, output: run.clean.text(result.output) };
  } catch (error) {
    throw run.clean.error(error);
  } finally {
    await run.close();
  }
}

/** Looks at each application of a run; those that fail are told, and the others all the same. */
export async function eachApp(run: AppRun, step: string, look: (target: AppReady) => Promise<string | CleanText>): Promise<VerbAnswer> {
  const results = await Promise.all(
    run.targets.map(async (target) => {
      try {
        return { project: target.project, success: true, output: run.clean.text(await look(target)) };
      } catch (error) {
        if (!(error instanceof MooringError)) throw error;
        return {
          project: target.project,
          success: false,
          output: showError(run.clean.error(inStep(error, step).with({ instance: target.guest.name, page: 'applications' }))),
        };
      }
    }),
  );
  return {
    success: results.every(({ success }) => success),
    output: new CleanText(results.map(({ output }) => run.clean.text(output)).join('\n')),
    failed: results.flatMap(({ project, success }) => (success ? [] : [project])),
  };
}

/** The guest as it is, and the way into it if it runs. */
export async function enter(run: AppRun, target: AppReady): Promise<{ guest: Guest | undefined; session: Session | undefined }> {
  const guest = await readGuest(run.proxmox, target.wanted);
  if (guest?.status.status !== 'running') return { guest, session: undefined };
  const host = await reach(run, target, guest, { acceptHostKey: false, timeoutMs: LOOK_MS });
  return { guest, session: new Session(run, target, host) };
}
