import type { AuditEntry } from '../../audit/audit.ts';
import type { Command, CommandResult } from '../../engine/command.ts';
import { findInstance, type Instance, type InstanceFacts } from '../../engine/instance.ts';
import type { OpenHost } from '../../engine/transport.ts';
import { BACKENDS, INSTANCES } from '../../shared/backends.ts';
import { heedFormat } from '../../shared/format.ts';
import { askFirst, type Opening } from '../../shared/host-facts.ts';
import { placeOf } from '../../shared/instance-look.ts';
import type { Invocation } from '../../shared/run.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { coverage } from '../../shared/volumes.ts';
import { backendOf, byBackend, type SnapshotBackend } from '../../snapshots/backend.ts';
import type { PreservedState } from '../../snapshots/preserved.ts';
import type { SeenBack } from '../../snapshots/rollback.ts';
import { type RestorePoints, restorePoints, type Volume } from '../../snapshots/set.ts';

/** A container that may be rolled back: it is there, it is ours, and restore points of it can be made. */
export type Candidate = { readonly target: PreparedContainer; readonly instance: Instance; readonly volumes: readonly Volume[] };

/** What a roll-back must know of one host. */
export type RollbackView = {
  readonly host: OpenHost;
  readonly name: string;
  readonly incus: InstanceFacts;
  readonly audit: readonly AuditEntry[];
  readonly candidates: readonly Candidate[];
  readonly points: RestorePoints;
  /** What each backend saw of its volumes. */
  readonly storage: ReadonlyMap<SnapshotBackend, SeenBack>;
  /** Preserved states of this environment, proved by their marks and by the container's UUID. */
  readonly kept: readonly PreservedState[];
};

/**
 * Looks at one host for a roll-back, in at most three round trips. Unlike the look of a deploy it also understands what
 * an interrupted roll-back left.
 *
 * @param targets the environment's containers on this host
 * @param opening done before anything is looked at: the lease
 * @param waits whether to wait for starts and stops that are under way; a look that comes after the lease says so
 * @throws SafetyError when a pool is not imported; MooringError for what is not understood
 */
export async function lookForRollback(
  run: Invocation,
  name: string,
  targets: readonly PreparedContainer[],
  opening?: Opening,
  waits?: boolean,
): Promise<RollbackView> {
  const host = await run.host(name);
  const { audit, ...incus } = await askFirst(run, host, opening, waits);
  // Once it has begun it must come to an end, whatever the state that it brought back says.
  if (opening !== undefined || waits !== true) heedFormat(run, name, incus.instances, opening === undefined ? 'read' : 'change');
  const present = targets.flatMap((target) => {
    const instance = findInstance(incus, placeOf(target));
    return instance !== undefined && INSTANCES.ownership(instance, run.environment.name).ours ? [{ target, instance }] : [];
  });
  const covered = coverage(
    present.map(({ instance }) => instance),
    incus,
  );
  const candidates = present.map((one) => ({
    ...one,
    volumes: covered.volumes.filter(({ instance }) => instance === one.target.instance),
  }));
  const listed = { environment: run.environment.name, instances: incus.instances };
  const looks = byBackend(BACKENDS, covered.volumes).map(({ backend, own }) => ({ backend, look: backend.lookBack(own, listed) }));
  const first = await runEach(
    host,
    looks.map(({ look }) => look.commands),
  );
  const further = looks.map(({ look }, i) => look.further(first[i] ?? []));
  const second = await runEach(
    host,
    further.map(({ commands }) => commands),
  );
  const storage = new Map(looks.map(({ backend }, i) => [backend, (further[i] as (typeof further)[number]).done(second[i] ?? [])]));
  const seen = [...storage.values()];
  return {
    ...{ host, name, incus, audit, candidates, storage },
    points: restorePoints(seen.flatMap(({ found }) => found)),
    kept: seen.flatMap(({ kept }) => kept),
  };
}

/** Runs several lists of commands as one batch, and gives each its own results. */
async function runEach(host: OpenHost, lists: readonly (readonly Command[])[]): Promise<CommandResult[][]> {
  const all = lists.flat();
  const results = all.length === 0 ? [] : [...(await host.run(all))];
  return lists.map(({ length }) => results.splice(0, length));
}

/** What the backend of a volume saw. */
export function seenOf({ storage }: Pick<RollbackView, 'storage'>, volume: Volume): SeenBack {
  const seen = storage.get(backendOf(BACKENDS, volume));
  if (seen === undefined) throw new RangeError(`${volume.instance} was not looked at`);
  return seen;
}
