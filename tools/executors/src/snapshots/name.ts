import { InputError } from '../engine/errors.ts';

const NAME = /^pre-(deploy|rollback)-([0-9a-f]{40})(?:-([2-9]|[1-9]\d+))?$/;

/** What was about to happen when a set was cut. */
export type SetKind = 'deploy' | 'rollback';

/**
 * What a restore point's name says: `pre-deploy-<sha>` is the first one cut before that release was deployed,
 * `pre-deploy-<sha>-2` the next; `pre-rollback-<sha>` is the state that was left by going back to before that release.
 */
export type SetName = { readonly kind: SetKind; readonly release: string; readonly ordinal: number };

/** Reads a snapshot's name; nothing when it is not one that this tool gives. */
export function parseSetName(name: string): SetName | undefined {
  const found = NAME.exec(name);
  if (found?.[2] === undefined) return undefined;
  return { kind: found[1] as SetKind, release: found[2], ordinal: Number(found[3] ?? 1) };
}

/**
 * The name for the next restore point before a release: beyond every one that is taken, so that names are in the order
 * of their making even where earlier ones were pruned.
 *
 * @param taken all snapshot names on all the volumes that are to be cut, whoever made them
 */
export function nextSetName(release: string, taken: Iterable<string>, kind: SetKind = 'deploy'): string {
  const plain = `pre-${kind}-${release}`;
  if (parseSetName(plain) === undefined) throw new InputError(`'${release}' is not a release (40 lower-case hex digits)`);
  let highest = 0;
  for (const name of taken) {
    const found = parseSetName(name);
    if (found?.release === release && found.kind === kind) highest = Math.max(highest, found.ordinal);
  }
  return highest === 0 ? plain : `${plain}-${highest + 1}`;
}

/** The name itself, if it is one of ours. The last gate before a name goes into a command that cuts or destroys. @throws InputError */
export function requireSetName(name: string): string {
  if (parseSetName(name) === undefined)
    throw new InputError(`'${name}' is not the name of a restore point of this tool (pre-deploy-<sha>, pre-rollback-<sha>)`);
  return name;
}

/** A release for a reader: its first 12 digits. */
export function shortRelease(release: string): string {
  return release.slice(0, 12);
}

/** A set's name for a reader: `pre-deploy-0123456789ab-2`. */
export function shortName(name: string): string {
  const found = parseSetName(name);
  return found === undefined ? name : `pre-${found.kind}-${shortRelease(found.release)}${found.ordinal > 1 ? `-${found.ordinal}` : ''}`;
}
