import { z } from 'zod';
import { zpoolOf } from './set.ts';

const preservedSchema = z.object({
  environment: z.string(),
  instance: z.string(),
  /** Name of the custom volume; nothing for the container's root. */
  volume: z.string().optional(),
  /** `volatile.uuid` of the instance. */
  uuid: z.string(),
  /** Incus project. */
  project: z.string(),
  /** The dataset that it was while it was live. */
  dataset: z.string(),
  /** Id of the roll-back that left it. */
  run: z.string(),
  /** When it was left; RFC 3339. */
  time: z.iso.datetime(),
  /** The release whose deploy last completed in it, where that is known. */
  release: z.string().optional(),
  /** The release before whose deploy the roll-back went, 40 hex digits; of an undo, the one that it undid. */
  before: z.string(),
  /** Where the roll-back went: the name of a restore point, or the preserved state that an undo brought back. */
  to: z.string(),
  /** It is a state that a roll-back tried and left again because it failed: no undo brings it back by itself. */
  failed: z.boolean().optional(),
  /** Properties that were set on it itself: a clone does not carry its origin's. */
  local: z.record(z.string(), z.string()),
});

/** What the ZFS user property `mooring:kept` says: that a dataset is a state which a roll-back left, and of what. */
export type PreservedMark = z.output<typeof preservedSchema>;

/** A state that a roll-back left: a dataset of its own, with the snapshots that were newer than the one gone back to. */
export type PreservedState = { readonly dataset: string; readonly mark: PreservedMark };

/** The property that makes a dataset a preserved state. It counts only where its source is `local` and the dataset is not live. */
export const PRESERVED_PROPERTY = 'mooring:kept';

/** The mark as a property's value. */
export function renderPreserved(mark: PreservedMark): string {
  return JSON.stringify(mark);
}

/** Reads a mark; nothing when the value is none. */
export function parsePreserved(value: string): PreservedMark | undefined {
  try {
    const parsed = preservedSchema.safeParse(JSON.parse(value));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where a state is kept: `<pool>/mooring/<instance>-<time>`, with `:<volume>` for a custom volume. An encrypted dataset
 * must stay inside its encryption root (openzfs#8905).
 *
 * @param encryptionRoot as ZFS tells it; nothing when it is not encrypted
 * @param stamp of the roll-back, see {@link stampOf}
 */
export function preservedDataset(
  live: { readonly dataset: string; readonly instance: string; readonly volume?: string | undefined },
  encryptionRoot: string | undefined,
  stamp: string,
): string {
  return `${preservedParent(live.dataset, encryptionRoot)}/${live.instance}-${stamp}${live.volume === undefined ? '' : `:${live.volume}`}`;
}

/** The dataset under which the states of a dataset are kept. */
function preservedParent(dataset: string, encryptionRoot: string | undefined): string {
  return `${encryptionRoot ?? zpoolOf(dataset)}/mooring`;
}

/** The part of a run's id that names what it leaves: when it began, `20260131T235959Z`. */
export function stampOf(runId: string): string {
  return `${runId.split('-', 1)[0]}Z`;
}

/** Newest first: of one instance, or of all. */
export function preservedOf(states: readonly PreservedState[], instance?: string): PreservedState[] {
  return states
    .filter(({ mark }) => instance === undefined || mark.instance === instance)
    .sort((a, b) => (a.mark.time === b.mark.time ? (a.dataset < b.dataset ? 1 : -1) : a.mark.time < b.mark.time ? 1 : -1));
}
