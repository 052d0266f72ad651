import { explainedBy, type MooringError } from '../../engine/errors.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { survey } from '../../shared/survey.ts';
import { askLiving, hostsAsked, withLook } from '../../shared/verb-run.ts';
import type { SnapshotsOptions } from './options.ts';
import { askHost, type HostSnapshots, hostSnapshots } from './rows.ts';

/** The restore points of an environment by host, and the hosts that gave no answer. */
export type EnvironmentSnapshots = {
  readonly environment: string;
  readonly hosts: readonly HostSnapshots[];
  readonly dead: ReadonlyMap<string, MooringError>;
};

/** The restore points of an environment, as far as its hosts answer; changes nothing. @throws MooringError */
export function snapshots(request: VerbRequest<SnapshotsOptions>): Promise<Answer<EnvironmentSnapshots>> {
  return withLook(request, async (run, asked) => {
    const now = run.world.now();
    const { answers, dead } = await askLiving(hostsAsked(asked), async (host) => askHost(host, await survey(run, host, [])));
    const all = [...answers.values()];
    const hosts = all.map((one) => hostSnapshots(one, all, now));
    return { success: true, data: { environment: run.environment.name, hosts, dead }, absent: dead };
  }).catch(explainedBy('restorePoints'));
}
