/**
 * How far a release came. `building`: its folder is not whole. `built`: it was never live. `activating`: it was being made live, and that has
 * not ended. `good`: it was live and healthy. `failed`: its migration or health check failed; it is kept to be looked at.
 */
export type ReleaseState = 'building' | 'built' | 'activating' | 'good' | 'failed';

/** One folder of /srv/app/releases. */
export type Release = {
  /** `20260131T235959Z-0123456789ab`: when it was begun, and its commit. */
  readonly id: string;
  /** 40 hex digits; nothing when it was ended before that was written. */
  readonly commit: string | undefined;
  readonly state: ReleaseState;
  /** The release that was live when this one first became so. */
  readonly before: string | undefined;
  /** When it last became good, in seconds since 1970 by the guest's clock. */
  readonly goodSince: number | undefined;
};

/** What there is in the guest. */
export type Releases = {
  /** sha256 of the deploy script that is there; nothing when there is none. */
  readonly script: string | undefined;
  /** Id of the release that `current` points to. */
  readonly current: string | undefined;
  readonly releases: readonly Release[];
};

/** The folder of a release that is begun now. */
export function releaseId(now: Date, commit: string): string {
  return `${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${commit.slice(0, 12)}`;
}

/** A release for a reader: `0123456789ab of 2026-01-31 23:59:59 UTC`. */
export function showRelease(id: string): string {
  const [, year, month, day, hour, minute, second, commit] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([0-9a-f]+)$/.exec(id) ?? [];
  return commit === undefined ? id : `${commit} of ${year}-${month}-${day} ${hour}:${minute}:${second} UTC`;
}

/** How many releases that failed are kept to be looked at. */
const KEEP_FAILED = 2;

/**
 * What goes: what was never finished, good releases beyond `keep` (the live one, and the one that a roll-back would go to, always
 * stay), and all but the last failed ones. Pure.
 *
 * @param live the release that is live, or will be
 */
export function outdated({ releases }: Pick<Releases, 'releases'>, live: string | undefined, keep: number): string[] {
  const before = rollbackTarget(releases, live)?.id;
  const newestFirst = (a: Release, b: Release) => (b.goodSince ?? 0) - (a.goodSince ?? 0) || (a.id < b.id ? 1 : -1);
  const kept = new Set([live, before].filter((id) => id !== undefined));
  for (const { id } of releases.filter(({ state }) => state === 'good').sort(newestFirst)) if (kept.size < keep) kept.add(id);
  const failed = releases.filter(({ state }) => state === 'failed').sort((a, b) => (a.id < b.id ? 1 : -1));
  for (const { id } of failed.slice(0, KEEP_FAILED)) kept.add(id);
  return releases
    .map(({ id }) => id)
    .filter((id) => !kept.has(id))
    .sort();
}

/** The good release that was live before this one; those that are gone or not good are passed over. */
export function rollbackTarget(releases: readonly Release[], from: string | undefined): Release | undefined {
  const seen = new Set<string>();
  for (let id = from; id !== undefined && !seen.has(id); ) {
    seen.add(id);
    const before: string | undefined = releases.find((release) => release.id === id)?.before;
    const found = releases.find((release) => release.id === before);
    if (found?.state === 'good') return found;
    id = before;
  }
  return undefined;
}
