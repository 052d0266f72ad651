import { releasesFact, showRelease } from '../../apps/index.ts';
import type { CommandResult } from '../../engine/command.ts';
import { InputError, MooringError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { verifyGuest } from '../../shared/app/guest.ts';
import type { AppRun } from '../../shared/app/run.ts';
import { stagesOf } from '../../shared/app/stages.ts';
import type { AppReady } from '../../shared/app/target.ts';
import { enter, withAppLook } from '../../shared/app/verb-run.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import type { StatusOptions } from './options.ts';
import { failsOn } from './rows.ts';

/** One row of the table of applications. What is not known is reported as unknown, never as healthy. */
export type AppStatus = {
  readonly app: string;
  readonly guest: string;
  readonly vmid: number;
  /** `running`, `stopped`, `absent`, `not ours`, `unknown`. */
  readonly state: string;
  readonly address: string;
  readonly branch: string;
  /** The release that is live, for a reader. */
  readonly release: string | undefined;
  readonly health: 'healthy' | 'unhealthy' | 'unknown';
  readonly drift: 'none' | 'drifted' | 'unknown';
  readonly detail: string | undefined;
};

/** The table of the applications of a request. */
export async function statusApps(request: VerbRequest<StatusOptions>): Promise<Answer<{ environment: string; apps: AppStatus[] }>> {
  return withAppLook(request, async (run) => {
    if (request.options.completedRelease)
      throw new InputError('--completed-release is of the data containers: an application deploys the commit of its branch', {
        next: nxRun('status', { environment: request.environment }, '--completed-release'),
      });
    const apps = await Promise.all(run.targets.map((target) => statusOf(run, target)));
    const success = !failsOn(
      request.options.failOn,
      apps.map(({ health }) => health),
    );
    return { success, data: { environment: run.environment.name, apps } };
  });
}

async function statusOf(run: AppRun, target: AppReady): Promise<AppStatus> {
  const { project: app, guest, address, desired } = target;
  const base = { app, guest: guest.name, vmid: guest.vmid, address, branch: desired.settings.branch };
  const unknown = { release: undefined, health: 'unknown', drift: 'unknown', detail: undefined } as const;
  const entered = await settle(() => enter(run, target));
  if ('error' in entered) return { ...base, ...unknown, state: 'unknown', detail: entered.error };
  const { guest: found, session } = entered.value;
  if (found === undefined) return { ...base, ...unknown, state: 'absent' };
  const { owner } = found;
  if (owner !== target.wanted.owner)
    return {
      ...base,
      ...unknown,
      state: 'not ours',
      detail: owner === undefined ? 'it was not made by nx-mooring' : `it belongs to ${owner}`,
    };
  if (session === undefined) return { ...base, ...unknown, state: found.state };
  const looking = session.looking();
  const [health, stages, releases] = await Promise.all([
    settle(() => verifyGuest(looking, run.world.connect, address)),
    settle(() => stagesOf(run, target)),
    settle(async () => releasesFact.parse((await looking.host.run([releasesFact.command]))[0] as CommandResult)),
  ]);
  const drifted =
    found.drift().length > 0 || ('value' in stages && stages.value.some((stage) => 'knownAfter' in stage || stage.changes.length > 0));
  const current = 'value' in releases ? releases.value.current : undefined;
  return {
    ...base,
    state: found.state,
    release: current === undefined ? undefined : showRelease(current),
    health: 'value' in health ? 'healthy' : 'unhealthy',
    drift: drifted ? 'drifted' : 'error' in stages ? 'unknown' : 'none',
    detail: [health, stages, releases].flatMap((one) => ('error' in one ? [one.error] : [])).join('; ') || undefined,
  };
}

async function settle<T>(work: () => Promise<T>): Promise<{ value: T } | { error: string }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof MooringError) return { error: error.message };
    throw error;
  }
}
