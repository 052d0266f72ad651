import { zpoolOf } from './set.ts';

/** A volume or its snapshot; one that is a dataset is cut together with all others of its pool. */
type Part = { readonly kind: string; readonly dataset?: string };

/**
 * Why a cut of these volumes is not of one moment: a sentence each; none when it is.
 *
 * @param seconds from Incus's first snapshot to its last, once they are cut
 */
export function notOneMoment(parts: readonly Part[], seconds?: number): string[] {
  const pools = [...new Set(parts.flatMap(({ dataset }) => (dataset === undefined ? [] : [zpoolOf(dataset)])))];
  const incus = parts.filter(({ dataset }) => dataset === undefined);
  const sentences: string[] = [];
  if (pools.length > 1) sentences.push(`not in one moment: ZFS cuts the pools ${pools.join(', ')} one after the other`);
  if (pools.length > 0 && incus.length > 0) sentences.push('not in one moment: some volumes are on ZFS, others are cut by Incus');
  if (incus.length > 1) {
    const measured = seconds === undefined ? '' : ` (${seconds.toFixed(2)} s from the first to the last)`;
    sentences.push(`not in one moment: Incus cuts one volume after the other${measured}`);
  }
  return sentences;
}
