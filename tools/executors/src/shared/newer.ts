import type { Newer } from '../engine/instance-platform.ts';
import { FORMAT, TOOL } from '../engine/version.ts';

/** What is newer, as the end of a sentence. Pure. */
export function showNewer(newer: readonly Newer[]): string {
  const all = newer.map(({ instance, format, tool = 'an unknown tool' }) => `${instance} is of format ${format}, by ${tool}`);
  return `${all.join('; ')}; ${TOOL} knows format ${FORMAT}`;
}

/** The version to upgrade to: that of the newest tool that wrote one. Pure. */
export function upgradeTo(newer: readonly Newer[]): string {
  const newest = newer
    .toSorted((a, b) => order(b.format) - order(a.format))
    .map(({ tool }) => /^nx-mooring (\d\S*)$/.exec(tool ?? '')?.[1]);
  const version = newest.find((one) => one !== undefined);
  return `upgrade nx-mooring${version === undefined ? '' : ` to ${version} or newer`}: npm i -D nx-mooring@latest`;
}

function order(format: string): number {
  return /^\d+$/.test(format) ? Number(format) : 0;
}
