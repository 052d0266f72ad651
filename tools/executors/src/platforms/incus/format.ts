import type { Instance } from '../../engine/instance.ts';
import { FORMAT, TOOL } from '../../engine/version.ts';
import { mark } from './marks.ts';

/** An instance that was last deployed in a format which this tool does not know. */
export type Newer = {
  readonly instance: string;
  /** As its mark says it. */
  readonly format: string;
  /** The tool that wrote it, as its mark says it. */
  readonly tool: string | undefined;
};

/** Those of the instances that are of a newer format than this tool's, also where the mark is no number: an earlier version cannot know. Pure. */
export function newerOf(instances: readonly Pick<Instance, 'name' | 'config'>[]): Newer[] {
  return instances.flatMap(({ name, config }) => {
    const format = config[mark.format];
    if (format === undefined || (/^[1-9]\d*$/.test(format) && Number(format) <= FORMAT)) return [];
    return [{ instance: name, format, tool: config[mark.tool] }];
  });
}

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
