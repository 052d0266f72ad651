import { z } from 'zod';
import { hostAlias } from '../engine/names.ts';
import type { Environment } from './environment.ts';

/** The hosts that an environment's file names, each once, in alphabetical order. */
export function namedHosts({ host, containers }: Pick<Environment, 'host' | 'containers'>): string[] {
  const own = Object.values(containers).flatMap((container) => container.host ?? []);
  return [...new Set([host, ...own])].sort();
}

/** A host that a version of an environment's file named. */
export type NamedBefore = {
  readonly host: string;
  /** The newest commit whose version names it, 40 hex digits. */
  readonly commit: string;
};

/** Why git does not tell what was before, and what makes it. */
export type HistoryUnknown = { readonly unknown: string; readonly next?: string };

/** Which hosts an environment's file has ever named, or why git cannot say. */
export type HostsBefore = { readonly hosts: readonly NamedBefore[] } | HistoryUnknown;

/** A version of a file, with the commit that made it. */
export type FileVersion = { readonly commit: string; readonly text: string };

// Versions of long ago may have had other fields, and other forms of these.
const anyVersion = z.looseObject({
  host: z.unknown(),
  containers: z.record(z.string(), z.looseObject({ host: z.unknown() }).catch({ host: undefined })).catch({}),
});

/** The hosts that versions of an environment's file name. @param versions newest first */
export function hostsOfVersions(versions: readonly FileVersion[]): NamedBefore[] {
  const named = new Map<string, string>();
  for (const { commit, text } of versions) for (const host of hostsIn(text)) if (!named.has(host)) named.set(host, commit);
  return [...named].map(([host, commit]) => ({ host, commit }));
}

/** What is no JSON could not be deployed. */
function hostsIn(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const parsed = anyVersion.safeParse(value);
  if (!parsed.success) return [];
  const { host, containers } = parsed.data;
  // They are asked: what is no alias now must not reach ssh.
  return [host, ...Object.values(containers).map((one) => one.host)].flatMap((one) => hostAlias.safeParse(one).data ?? []);
}
