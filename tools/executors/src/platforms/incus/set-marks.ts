import { doubt, parseMarkNames, type SetMark, type Volume } from '../../snapshots/set.ts';

/**
 * Keys that are set on an instance, or a custom volume, just before it is cut. An Incus snapshot has no properties of its own, but
 * keeps the `config` of that moment, and with it these keys and an instance's `volatile.uuid`. On the thing itself they mean nothing.
 */
export const SET_KEYS = {
  set: 'user.mooring.set',
  /** The snapshot that they are meant for: one that is made by hand later inherits the keys, but has another name. */
  name: 'user.mooring.set-name',
  release: 'user.mooring.set-release',
  environment: 'user.mooring.set-environment',
  tool: 'user.mooring.set-tool',
  /** Volumes of the set (`memberName`; `<volume>@<host>` on other hosts), comma-separated. */
  members: 'user.mooring.set-members',
} as const;

/** The key by which volumes and members that Incus itself cuts are known. */
export const INCUS_SNAPSHOTS = 'incus';

/** What all members in Incus have. */
export const OWN = { kind: INCUS_SNAPSHOTS, keepsPresent: true } as const;

/** When Incus will delete a snapshot by itself. `--no-expiry` prevents it; this proves it. Never: year 1 for an instance's, null for a volume's. */
export function expiry(expiresAt: string | null | undefined): { readonly expires?: string } {
  return expiresAt == null || expiresAt.startsWith('0001-01-01') ? {} : { expires: expiresAt };
}

/**
 * Whether the marks of a snapshot prove it ours.
 *
 * @param snapshot without the instance's or volume's name before its own
 * @param uuid of the instance, as the snapshot remembers it
 */
export function judge(
  snapshot: { readonly name: string; readonly config: Readonly<Record<string, string>> },
  uuid: string | undefined,
  volume: Volume,
  environment: string,
): { readonly mark: SetMark } | { readonly because: string } {
  const value = (key: keyof typeof SET_KEYS) => snapshot.config[SET_KEYS[key]];
  const absent = (Object.keys(SET_KEYS) as (keyof typeof SET_KEYS)[]).find((key) => value(key) === undefined);
  if (absent !== undefined) return { because: `it has no mark ${SET_KEYS[absent]}` };
  if (value('name') !== snapshot.name)
    return { because: `its marks are meant for ${value('name')}: it was made by hand later, or renamed` };
  const mark: SetMark = {
    id: value('set') ?? '',
    release: value('release') ?? '',
    environment: value('environment') ?? '',
    tool: value('tool') ?? '',
    ...parseMarkNames((value('members') ?? '').split(',')),
  };
  const because = doubt(snapshot.name, mark, uuid, volume, environment);
  return because === undefined ? { mark } : { because };
}
