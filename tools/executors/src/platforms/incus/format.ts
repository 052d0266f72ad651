import type { Instance } from '../../engine/instance.ts';
import type { Newer } from '../../engine/instance-platform.ts';
import { FORMAT } from '../../engine/version.ts';
import { mark } from './marks.ts';

/** Those of the instances that are of a newer format than this tool's, also where the mark is no number: an earlier version cannot know. Pure. */
export function newerOf(instances: readonly Pick<Instance, 'name' | 'config'>[]): Newer[] {
  return instances.flatMap(({ name, config }) => {
    const format = config[mark.format];
    if (format === undefined || (/^[1-9]\d*$/.test(format) && Number(format) <= FORMAT)) return [];
    return [{ instance: name, format, tool: config[mark.tool] }];
  });
}
