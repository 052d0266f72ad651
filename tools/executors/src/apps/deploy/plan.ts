import type { Change } from '../../engine/change.ts';
import type { Command } from '../../engine/command.ts';
import { InputError, MooringError, SafetyError } from '../../engine/errors.ts';
import type { Desired } from '../../engine/service.ts';
import { scriptHash } from '../layout/script.ts';
import type { AppSettings } from '../settings.ts';
import { activateStep, buildStep, migrateStep, pruneStep } from './commands.ts';
import { outdated, type Release, type Releases, releaseId, rollbackTarget, showRelease } from './release.ts';

/** What a deploy knows of the guest and of the repository. */
export type DeployFacts = {
  readonly guest: Releases;
  /** The branch's newest commit, as the git server says. */
  readonly head: string;
};

export type DeployRequest = {
  /** 40 hex digits, on the branch; its newest one when left out. */
  readonly commit?: string | undefined;
  readonly now: Date;
};

/** What a deploy or a roll-back would do; no changes is a no-op, and `because` says why. */
export type ReleasePlan = {
  /** The release that is live afterwards; nothing where none is. */
  readonly release: string | undefined;
  readonly commit: string | undefined;
  readonly changes: readonly Change[];
  readonly because: string;
};

/**
 * What brings a commit live: build (unless a whole release of it is there), migrate, make it live, put away what is outdated. Pure.
 *
 * @throws SafetyError when the guest was not configured with these settings
 */
export function planDeploy({ guest, head }: DeployFacts, desired: Desired<AppSettings>, request: DeployRequest): ReleasePlan {
  refuseOtherScript(guest, desired);
  const commit = request.commit ?? head;
  const keep = desired.settings.releases.keep;
  const live = guest.releases.find(({ id }) => id === guest.current);
  if (live?.commit === commit && live.state === 'good') {
    const because = `${commit.slice(0, 12)} is live already (release ${live.id})`;
    return { release: live.id, commit, changes: prune(guest, live.id, keep), because };
  }
  const whole = reusable(guest, commit);
  const id = whole?.id ?? freeId(guest, request.now, commit);
  const changes: Change[] = [];
  if (whole === undefined) changes.push(build(id, commit, desired));
  if (migrates(desired.settings)) changes.push(migrate(id));
  changes.push(activate(id, live, whole));
  const settled = guest.releases.filter((release) => release.id !== id);
  const before = live?.id === id ? live.before : live?.state === 'good' ? live.id : live?.before;
  const becomes: Release = { id, commit, state: 'good', before: whole?.before ?? before, goodSince: Number.POSITIVE_INFINITY };
  changes.push(...prune({ releases: [...settled, becomes] }, id, keep));
  return { release: id, commit, changes, because: whole === undefined ? 'it is not deployed yet' : `release ${id} is built already` };
}

/**
 * What makes the release live again that was live before, or the one that `to` names by its id or commit. Only a good release is a target.
 * Migrations are not undone. Pure.
 *
 * @throws SafetyError when there is no such release
 */
export function planRollback({ guest }: Pick<DeployFacts, 'guest'>, desired: Desired<AppSettings>, to?: string): ReleasePlan {
  refuseOtherScript(guest, desired);
  const live = guest.releases.find(({ id }) => id === guest.current);
  const unfinished = live?.state === 'activating' && live.goodSince !== undefined;
  const target = to === undefined ? (unfinished ? live : rollbackTarget(guest.releases, guest.current)) : named(guest, to);
  if (target === undefined) {
    throw new SafetyError(
      live === undefined ? 'no release is live: there is nothing to go back from' : `there is no good release from before ${live.id}`,
      { next: `deploy a commit instead; the good releases are: ${goodOnes(guest)}` },
    );
  }
  if (target.id === guest.current && !unfinished) {
    return { release: target.id, commit: target.commit, changes: [], because: `release ${target.id} is live already` };
  }
  return {
    release: target.id,
    commit: target.commit,
    changes: [activate(target.id, live, target)],
    because: to === undefined ? 'it was live before' : 'it was asked for',
  };
}

function named(guest: Releases, to: string): Release {
  const found = guest.releases.filter(({ id, commit }) => id === to || (to.length >= 7 && commit?.startsWith(to)));
  const good = found.filter(({ state, goodSince }) => state === 'good' || (state === 'activating' && goodSince !== undefined));
  const [target] = good.sort((a, b) => (b.goodSince ?? 0) - (a.goodSince ?? 0));
  if (target !== undefined) return target;
  if (found.length > 0) {
    throw new SafetyError(`release ${found[0]?.id} was never good (${found[0]?.state}), so nothing can roll back to it`, {
      next: `--to one of: ${goodOnes(guest)}`,
    });
  }
  throw new InputError(`there is no release ${JSON.stringify(to)}`, { next: `--to one of: ${goodOnes(guest)}` });
}

function goodOnes({ releases }: Releases): string {
  const good = releases.filter(({ state }) => state === 'good').map(({ id }) => id);
  return good.length === 0 ? 'none' : good.sort().reverse().join(', ');
}

function reusable({ releases }: Releases, commit: string): Release | undefined {
  return releases
    .filter(
      (release) => release.commit === commit && (release.state === 'built' || release.state === 'activating' || release.state === 'good'),
    )
    .sort((a, b) => (a.id < b.id ? 1 : -1))[0];
}

/** One that failed a moment ago, of the same commit, has the name that its time gives. */
function freeId(guest: Pick<Releases, 'releases'>, now: Date, commit: string): string {
  const id = releaseId(now, commit);
  return guest.releases.some((release) => release.id === id) ? freeId(guest, new Date(now.getTime() + 1000), commit) : id;
}

/** The steps are the script's: one that was rendered from other settings would build and start something else. */
function refuseOtherScript({ script }: Releases, desired: Desired<AppSettings>): void {
  if (script === scriptHash(desired.settings)) return;
  throw new SafetyError(
    script === undefined
      ? 'the guest is not configured: it has no deploy script'
      : 'the guest’s deploy script is not the one of the settings',
    { next: 'run configure first' },
  );
}

function migrates({ node, python }: AppSettings): boolean {
  return (node?.migrate ?? python?.migrate) !== undefined || python?.alembic === true;
}

function build(id: string, commit: string, { settings }: Desired<AppSettings>): Change {
  return {
    resource: `release ${id}`,
    action: 'create',
    after: { commit, branch: settings.branch },
    impact: 'none',
    because: `there is no whole release of ${commit.slice(0, 12)}`,
    commands: [buildStep(id, commit)],
  };
}

function migrate(id: string): Change {
  return {
    resource: 'database schema',
    action: 'update',
    after: `as release ${id} wants it`,
    impact: 'none',
    because: 'migrations run before the switch',
    commands: [migrateStep(id)],
  };
}

function activate(id: string, live: Release | undefined, whole: Release | undefined): Change {
  const again = live?.id === id;
  return {
    resource: 'live release',
    action: live === undefined ? 'create' : again ? 'restart' : 'update',
    ...(live === undefined || again ? {} : { before: showRelease(live.id) }),
    after: showRelease(id),
    impact: 'restart',
    because: again
      ? 'it was not finished: whether it is healthy is not known'
      : whole?.goodSince === undefined
        ? 'it was never live'
        : 'it was good when it was live',
    commands: [activateStep(id)],
  };
}

function prune(guest: Pick<Releases, 'releases'>, live: string, keep: number): Change[] {
  const ids = outdated(guest, live, keep);
  if (ids.length === 0) return [];
  return [
    {
      resource: `releases ${ids.join(', ')}`,
      action: 'destroy',
      before: ids,
      impact: 'none',
      because: `${keep} good releases are kept; what was not finished goes`,
      commands: [pruneStep(ids)] satisfies Command[],
    },
  ];
}

/** What a deploy that did not converge says. */
export function refuseRest(plan: ReleasePlan): void {
  if (plan.changes.length === 0) return;
  throw new MooringError(
    `the deploy did not converge: ${plan.changes.map(({ resource, because }) => `${resource}: ${because}`).join('; ')}`,
  );
}
