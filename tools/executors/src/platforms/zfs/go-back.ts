import type { CommandResult } from '../../engine/command.ts';
import { SafetyError } from '../../engine/errors.ts';
import type { Instance } from '../../engine/instance.ts';
import type { Listed } from '../../snapshots/backend.ts';
import type { PreservedState } from '../../snapshots/preserved.ts';
import { type Attempt, type Container, type LookBack, PRESENT, type VolumePlan } from '../../snapshots/rollback.ts';
import { type Volume, zpoolOf } from '../../snapshots/set.ts';
import { preservedFor, snapshotOf, swapOf, type ZfsView } from './exchange.ts';
import { datasetsCommand, parseDatasets, requirePools, zpoolsFact } from './facts.ts';
import { sameIds } from './ids.ts';
import { planInPlace } from './in-place.ts';
import { type Lineages, lineagesCommand, parseLineages, preservedFact, writtenSince } from './lineage.ts';
import { foundOnZfs } from './marks.ts';
import { rollBackInPlace, swapToPreserved, swapToSnapshot } from './swap.ts';
import { onZfs, type ZfsVolume } from './volume.ts';

/** What ZFS is asked for a roll-back: what is on the datasets and what was kept of them, then where all of it comes from. */
export function lookBackOnZfs(volumes: readonly Volume[], { environment }: Pick<Listed, 'environment'>): LookBack {
  const own = volumes.map(onZfs);
  const datasets = own.map(({ dataset }) => dataset);
  const states = preservedFact(datasets.map(zpoolOf));
  return {
    commands: [states.command, zpoolsFact.command, datasetsCommand(datasets)],
    further(results) {
      const [all, zpools, listed] = results as [CommandResult, CommandResult, CommandResult];
      const pools = zpoolsFact.parse(zpools);
      requirePools(pools, datasets);
      const listing = parseDatasets(listed, datasets, pools);
      const kept = states.parse(all).filter(({ mark }) => isOf(mark, environment, volumes));
      const known = [...datasets, ...kept.map(({ dataset }) => dataset)];
      const there = own.filter(({ dataset }) => listing.get(dataset) !== 'absent');
      return {
        commands: [lineagesCommand(known)],
        done([result]) {
          const view: ZfsView = { listing, kept, lineages: parseLineages(result as CommandResult, known) };
          return {
            found: [foundOnZfs(listing, there, environment)],
            kept,
            isCutFirst: (volume) => listing.get(onZfs(volume).dataset) !== 'absent',
            isAt: (volume, snapshot) => isAt(view, onZfs(volume), snapshot),
            plan: (container, volume, attempt) => plan(view, container, onZfs(volume), attempt),
          };
        },
      };
    },
  };
}

function isOf(mark: PreservedState['mark'], environment: string, volumes: readonly Volume[]): boolean {
  if (mark.environment !== environment) return false;
  return volumes.some(
    ({ instance, volume, uuid, project }) =>
      mark.instance === instance && mark.volume === volume && mark.uuid === uuid && mark.project === project,
  );
}

function isAt({ listing }: ZfsView, { dataset }: ZfsVolume, snapshot: string): boolean {
  const listed = listing.get(dataset);
  if (listed === undefined || listed === 'absent') return false;
  return listed.written === 0 && listed.snapshots.at(-1)?.name === snapshot;
}

function plan(view: ZfsView, container: Container, volume: ZfsVolume, attempt: Attempt): VolumePlan | undefined {
  const { goal } = attempt;
  const live = view.lineages.get(volume.dataset);
  if (live !== undefined && live !== 'absent' && !live.keyLoaded)
    throw new SafetyError(`the encryption key of ${volume.dataset} is not loaded`, {
      next: `zfs load-key ${live.encryptionRoot}, on the host`,
    });
  if (goal.kind === 'in-place') return container.isDone ? undefined : inPlace(view, container, volume, goal);
  if (goal.kind === 'set') {
    const swap = swapOf(view, container, volume, attempt, goal.set.name);
    const snapshot = snapshotOf(view, volume, goal.set, swap);
    return {
      volume,
      present: `kept as ${swap.kept}`,
      changes: () => swapToSnapshot(swap, snapshot, seen(view, swap.kept)),
      restores: false,
      ...atSnapshot(view, container.instance, volume, snapshot, 'after'),
    };
  }
  const source = preservedFor(view, volume, attempt, goal.run);
  if (source === undefined) return undefined;
  const swap = swapOf(view, container, volume, attempt, source);
  return {
    volume,
    present: `kept as ${swap.kept}`,
    changes: () => swapToPreserved(swap, source, seen(view, swap.kept, source)),
    restores: false,
    release: view.kept.find(({ dataset }) => dataset === source)?.mark.release,
  };
}

function inPlace(view: ZfsView, { instance }: Container, volume: ZfsVolume, goal: Attempt['goal'] & { kind: 'in-place' }): VolumePlan {
  const { snapshot, destroy } = planInPlace(view, instance, volume, goal);
  return {
    volume,
    present: `DESTROYED in ${volume.dataset}: ${[...destroy, PRESENT].join(', ')}`,
    changes: (forget) =>
      rollBackInPlace(
        volume.dataset,
        snapshot,
        destroy.filter((name) => !forget.some((one) => name === `snapshot-${one}`)),
      ),
    restores: false,
    key: 'before',
    ...atSnapshot(view, instance, volume, snapshot, 'before'),
  };
}

/** What a snapshot of the live dataset tells; of one that has left it nothing is known. */
function atSnapshot(
  { listing }: ZfsView,
  instance: Instance,
  { dataset, volume }: ZfsVolume,
  snapshot: string,
  when: 'before' | 'after',
): Pick<VolumePlan, 'newer' | 'ids' | 'forget'> {
  const listed = listing.get(dataset);
  if (listed === undefined || listed === 'absent') return {};
  const at = listed.snapshots.find(({ name }) => name === snapshot);
  const newer = at && listed.snapshots.filter(({ createtxg }) => createtxg > at.createtxg).map(({ name }) => name);
  // Where the exchange has happened already, what is not on the live dataset is what must be forgotten.
  const there = new Set(listed.snapshots.map(({ name }) => name).filter((name) => !newer?.includes(name)));
  // Incus calls its snapshots `snapshot-<name>` on ZFS; those newer than the one gone back to leave with the preserved state.
  const names = (instance.snapshots ?? []).map(({ name }) => name).filter((name) => !there.has(`snapshot-${name}`));
  return {
    ...(newer === undefined ? {} : { newer: { names: newer, written: writtenSince(dataset, snapshot) } }),
    ...(volume === undefined ? { forget: { names, when } } : {}),
    ...(volume === undefined && at !== undefined ? { ids: sameIds(instance, dataset, snapshot) } : {}),
  };
}

/** What was looked at; a name that nothing was known of is not there. */
function seen({ lineages }: ZfsView, ...names: readonly string[]): Lineages {
  return new Map([...names.map((name) => [name, 'absent'] as const), ...lineages]);
}
