import { appendAudit } from '../../audit/audit.ts';
import type { CommandResult } from '../../engine/command.ts';
import { InputError, lastLines, type MooringError, mustSucceed, SafetyError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { ownRunId } from '../../engine/run-id.ts';
import { confirm } from '../../shared/confirm.ts';
import { LeaseKeeper } from '../../shared/lease-keeper.ts';
import { offeringWithout, showLeftOut } from '../../shared/left-out.ts';
import { type Preserved, preservedStates } from '../../shared/preserved-states.ts';
import { pruneSets } from '../../shared/prune-sets.ts';
import type { Answer, Ask, VerbRequest } from '../../shared/request.ts';
import { hostsOf, type Invocation } from '../../shared/run.ts';
import { type Survey, survey } from '../../shared/survey.ts';
import { type AnyRequest, askLiving, hostsAsked, withLook, withRun } from '../../shared/verb-run.ts';
import { parseSetName, shortName } from '../../snapshots/name.ts';
import type { PreservedState } from '../../snapshots/preserved.ts';
import type { SnapshotSet } from '../../snapshots/set.ts';
import type { PruneOptions } from './options.ts';

/** What roll-backs left on one host, as it is shown. `free`: bytes that each dataset's end would give back, where that is known. */
export type PreservedLeft = {
  readonly host: string;
  readonly kept: readonly PreservedState[];
  readonly free: ReadonlyMap<string, number>;
  readonly sets: readonly SnapshotSet[];
};

/**
 * What prune of what roll-backs left answers with: what there is, with the hosts that gave no answer, or what became of what was named; and
 * a sentence for each host that was left out.
 */
export type PrunedPreserved = { readonly environment: string; readonly leftOut: readonly string[] } & (
  | { readonly left: readonly PreservedLeft[]; readonly dead: ReadonlyMap<string, MooringError> }
  | { readonly became: readonly string[] }
);

/** What roll-backs left on one host: datasets of their own on ZFS, restore points on other storage. */
type Left = PreservedLeft & {
  readonly seen: Survey;
  readonly preserved: readonly Preserved[];
  /** Names of those that may be the last copy of their container's data. */
  readonly mayBeLast: ReadonlySet<string>;
};

/**
 * Lists what roll-backs left and destroys what is named, and nothing that is not. It never goes by itself: it may be the
 * only place that holds what was written before a roll-back.
 *
 * @throws InputError for a name that is not one of it; SafetyError for what may be the last copy
 */
export function prunePreserved(request: VerbRequest<PruneOptions, readonly PreservedLeft[]>): Promise<Answer<PrunedPreserved>> {
  const { options } = request;
  return options.dryRun ? list(request) : destroyListed(request);
}

/** `--dry-run`: as far as the hosts answer. */
function list(request: AnyRequest): Promise<Answer<PrunedPreserved>> {
  return withLook(request, async (run, asked) => {
    const { answers, dead } = await askLiving(hostsAsked(asked), async (name) => look(run, name, await survey(run, name, [])));
    return { success: true, data: answer(run, { left: [...answers.values()], dead }), absent: dead };
  });
}

function destroyListed(request: VerbRequest<PruneOptions, readonly PreservedLeft[]>): Promise<Answer<PrunedPreserved>> {
  const { options, projects } = request;
  return withRun(
    request,
    async (run, targets) => {
      const leases: LeaseKeeper[] = [];
      try {
        const everywhere: Left[] = [];
        for (const name of hostsOf(targets)) {
          const seen = await surveyed(run, name, options, leases).catch((error: unknown) => {
            throw offeringWithout(error, name, run.targets, { without: run.without, projects });
          });
          everywhere.push(await look(run, name, seen));
        }
        return { success: true, data: answer(run, await destroyNamed(run, everywhere, request)) };
      } finally {
        for (const lease of leases) await lease.giveBack();
      }
    },
    ownRunId(request.world),
  );
}

function answer<T>(run: Invocation, what: T): T & Pick<PrunedPreserved, 'environment' | 'leftOut'> {
  return { environment: run.environment.name, leftOut: showLeftOut(run), ...what };
}

async function surveyed(run: Invocation, name: string, options: PruneOptions, leases: LeaseKeeper[]): Promise<Survey> {
  const lease = new LeaseKeeper(run, await run.host(name), options, `${run.workspace.storage.project}:prune`);
  const seen = await lease.hold((opening) => survey(run, name, [], opening));
  leases.push(lease);
  return seen;
}

async function destroyNamed(
  run: Invocation,
  everywhere: readonly Left[],
  { options, ask, preview }: VerbRequest<PruneOptions, readonly PreservedLeft[]>,
): Promise<{ left: readonly PreservedLeft[]; dead: ReadonlyMap<string, MooringError> } | { became: string[] }> {
  const nothing = everywhere.every(({ kept, sets }) => kept.length + sets.length === 0);
  if (nothing || (options.destroy.length === 0 && ask === undefined)) return { left: everywhere, dead: new Map() };
  preview(everywhere, run.clean);
  const given = options.destroy.length > 0 ? options.destroy : await askNames(ask);
  if (given.length === 0) return { became: ['nothing was destroyed'] };
  const gone = new Map(everywhere.flatMap((left) => [...goneAlready(left, given)]));
  const names = given.filter((name) => everywhere.some((left) => isThere(left, name)) || !gone.has(name));
  refuseUnfit(everywhere, names);
  const before = [...gone].flatMap(([name, by]) =>
    names.includes(name) ? [] : [`${name} is gone: the run ${by} had begun to destroy it`],
  );
  if (names.length === 0) return { became: before };
  const sure = options.yes
    ? 'yes'
    : await confirm(ask, `Type yes to destroy ${names.join(', ')} for good: `, 'this destroys data', '--yes');
  if (sure !== 'yes') return { became: ['nothing was destroyed'] };
  const destroyed: string[] = [];
  for (const left of everywhere) {
    const here = names.filter((name) => isThere(left, name));
    if (here.length > 0) destroyed.push(...(await destroy(run, left, here)));
  }
  return { became: [...before, ...destroyed] };
}

async function look(run: Invocation, host: string, seen: Survey): Promise<Left> {
  const preserved = await preservedStates(seen, run.environment.name);
  const facts = preserved.flatMap(({ backend, states }) => (states.length === 0 ? [] : [backend.usesOf(states)]));
  const results = facts.length === 0 ? [] : await seen.host.run(facts.map(({ command }) => command));
  const uses = facts.flatMap(({ parse }, i) => [...parse(results[i] as CommandResult)]);
  const sets = seen.points.sets.filter((set) => parseSetName(set.name)?.kind === 'rollback');
  const free = uses.flatMap(([name, use]): [string, number][] => (use.free === undefined ? [] : [[name, use.free]]));
  const mayBeLast = new Set(uses.flatMap(([name, { mayBeLastCopy }]) => (mayBeLastCopy ? [name] : [])));
  return { host, seen, preserved, kept: preserved.flatMap(({ states }) => states), mayBeLast, sets, free: new Map(free) };
}

async function askNames(ask: Ask | undefined): Promise<string[]> {
  const answer = await confirm(ask, 'Which may be destroyed? Names, or nothing: ', 'what may go has to be named', '--destroy=<name>');
  return answer.split(/[\s,]+/).filter(Boolean);
}

/** Names of what is there no more because an earlier run destroyed it, with that run: the log has what a run that was killed had begun. */
function goneAlready(left: Left, names: readonly string[]): Map<string, string> {
  const begun = left.seen.audit.filter(({ what, result }) => what === 'prune' && result === 'started');
  return new Map(
    names.flatMap((name) => {
      if (isThere(left, name)) return [];
      const entry = begun.findLast(({ changes = [] }) =>
        changes.some((one) => one === toDestroy(name) || one === toDestroy(shortName(name))),
      );
      return entry === undefined ? [] : [[name, entry.run] as const];
    }),
  );
}

function isThere({ kept, sets }: Left, name: string): boolean {
  return kept.some(({ dataset }) => dataset === name) || sets.some((set) => isCalled(set, name));
}

function isCalled({ name }: SnapshotSet, given: string): boolean {
  return name === given || shortName(name) === given;
}

function toDestroy(name: string): string {
  return `destroy ${name}`;
}

function refuseUnfit(everywhere: readonly Left[], names: readonly string[]): void {
  for (const name of names) {
    if (!everywhere.some((left) => isThere(left, name)))
      throw new InputError(`--destroy: ${name} is not a state that a roll-back kept`, {
        next: `${nxRun('prune', {}, '--preserved', '--dry-run')} lists what is`,
      });
    const last = everywhere.flatMap(({ kept, mayBeLast }) => (mayBeLast.has(name) ? kept.filter(({ dataset }) => dataset === name) : []));
    for (const { mark } of last)
      throw new SafetyError(`${name} may be the last copy: the live dataset ${mark.dataset} does not exist, or stands on it`, {
        next: 'finish or take back the roll-back that was interrupted: the same command again, or --undo',
      });
  }
}

async function destroy(run: Invocation, { seen, preserved, sets }: Left, names: readonly string[]): Promise<string[]> {
  const states = preserved.flatMap(({ backend, states: all }) =>
    all.filter(({ dataset }) => names.includes(dataset)).map((state) => ({ ...state, command: backend.destroyPreserved(state) })),
  );
  const doomed = sets.filter((set) => names.some((name) => isCalled(set, name)));
  const base = { run: run.runId, who: run.who, what: 'prune', detail: 'what roll-backs left' } as const;
  const write = async (result: string, changes: string[], failure: string) => {
    const [written] = await seen.host.run([appendAudit(run.environment.name, [{ ...base, result, changes }])]);
    mustSucceed(written as CommandResult, failure, { step: 'prune' });
  };
  // A run that is killed leaves names of what is gone: the same command again must know them from a name that is mistyped.
  const begun = [...states.map(({ dataset }) => dataset), ...doomed.map((set) => shortName(set.name))].map(toDestroy);
  await write('started', begun, 'nothing was destroyed: it could not be written down');
  const results = await seen.host.run(states.map(({ command }) => command));
  const became = states.map(({ dataset }, i) => {
    const { code, stderr } = results[i] as CommandResult;
    return code === 0 ? `destroyed ${dataset}` : `could not destroy ${dataset}, it stays: ${lastLines(stderr, 2)}`;
  });
  const { destroyed, stuck } = await pruneSets(
    seen.host,
    doomed.map((set) => ({ set, keep: false, because: [] })),
  );
  const changes = [
    ...became,
    ...destroyed.map((set) => `destroyed ${set.name}`),
    ...stuck.map(({ where, because }) => `could not destroy ${where}, it stays: ${because}`),
  ];
  await write('ok', changes, 'what was destroyed could not be written down');
  return changes;
}
