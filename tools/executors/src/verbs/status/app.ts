import { releasesFact, showRelease } from '../../apps/index.ts';
import type { CommandResult } from '../../engine/command.ts';
import { InputError } from '../../engine/errors.ts';
import type { FoundGuest } from '../../engine/guest-platform.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { verifyGuest } from '../../shared/app/guest.ts';
import type { AppInvocation } from '../../shared/app/run.ts';
import type { Session } from '../../shared/app/session.ts';
import { stagesOf } from '../../shared/app/stages.ts';
import type { PreparedApp } from '../../shared/app/target.ts';
import { enter, withAppLook } from '../../shared/app/verb-run.ts';
import { attempt } from '../../shared/attempt.ts';
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

async function statusOf(run: AppInvocation, target: PreparedApp): Promise<AppStatus> {
  const { project: app, guest, address, desired } = target;
  const base = { app, guest: guest.name, vmid: guest.vmid, address, branch: desired.settings.branch, ...UNKNOWN };
  const entered = await attempt(() => enter(run, target));
  if ('error' in entered) return { ...base, state: 'unknown', detail: entered.error.message };
  const { guest: found, session } = entered.value;
  if (found === undefined) return { ...base, state: 'absent' };
  if (found.owner !== target.wanted.owner) return { ...base, state: 'not ours', detail: whose(found) };
  if (session === undefined) return { ...base, state: found.state };
  return { ...base, state: found.state, ...(await inside(run, target, found, session)) };
}

const UNKNOWN = { release: undefined, health: 'unknown', drift: 'unknown', detail: undefined } as const;

function whose({ owner }: FoundGuest): string {
  return owner === undefined ? 'it was not made by nx-mooring' : `it belongs to ${owner}`;
}

/** What is known of a guest that can be entered. */
async function inside(
  run: AppInvocation,
  target: PreparedApp,
  found: FoundGuest,
  session: Session,
): Promise<Pick<AppStatus, 'release' | 'health' | 'drift' | 'detail'>> {
  const looking = session.looking();
  const [health, stages, releases] = await Promise.all([
    attempt(() => verifyGuest(looking, run.world.connect, target.address)),
    attempt(() => stagesOf(run, target)),
    attempt(async () => releasesFact.parse((await looking.host.run([releasesFact.command]))[0] as CommandResult)),
  ]);
  const drifted =
    found.drift().length > 0 || ('value' in stages && stages.value.some((stage) => 'knownAfter' in stage || stage.changes.length > 0));
  const current = 'value' in releases ? releases.value.current : undefined;
  return {
    release: current === undefined ? undefined : showRelease(current),
    health: 'value' in health ? 'healthy' : 'unhealthy',
    drift: drifted ? 'drifted' : 'error' in stages ? 'unknown' : 'none',
    detail: [health, stages, releases].flatMap((one) => ('error' in one ? [one.error.message] : [])).join('; ') || undefined,
  };
}
