import { describe, expect, it } from 'vitest';
import { showError } from '../engine/errors.ts';
import type { HostsBefore } from '../workspace/hosts.ts';
import { type HostView, knownElsewhere, lookElsewhere } from './elsewhere.ts';
import type { Invocation } from './run.ts';
import type { PreparedContainer } from './target.ts';

const commit = '1'.repeat(40);
const empty = (host: string): HostView => ({ host, incus: { instances: [], everywhere: [] }, audit: [] });

/** What is told of a container that is absent on a host without a record, and what was said while it was looked for. */
async function told(before: HostsBefore): Promise<{ refused: string; said: string[] }> {
  const environment = { name: 'prod', host: 'new', containers: {} };
  const target = { project: 'redis', instance: 'x-redis', host: 'new', environment, incus: { project: 'p' }, service: { name: 'redis' } };
  const said: string[] = [];
  const run = {
    environment,
    targets: [target],
    leftOut: [],
    faulty: [],
    without: [],
    hostsBefore: async () => before,
    progress: (line: string) => said.push(line),
  };
  const elsewhere = await lookElsewhere(run as unknown as Invocation, empty('new'), async (host) => empty(host));
  try {
    knownElsewhere(target as unknown as PreparedContainer, { audit: [], elsewhere }, { create: [], newHosts: [] });
    return { refused: '', said };
  } catch (error) {
    return { refused: showError(error), said };
  }
}

describe('a host without a record of the environment', () => {
  it('is a new one where a former host has none either, which is named', async () => {
    expect(await told({ hosts: [{ host: 'old', commit }] })).toEqual({
      refused: '',
      said: ['new: asked host old too (infra/environments/prod.json of commit 111111111111 names that host): no record of prod'],
    });
  });

  it('is refused where the former host was local: another machine may have been it', async () => {
    const { refused } = await told({ hosts: [{ host: 'local', commit }] });
    expect(refused).toContain(
      'host new has no record of prod, but it may have been deployed on host local, which is whatever machine runs nx (infra/environments/prod.json of commit 111111111111 names that host). No container is created there.',
    );
    expect(refused).toContain('--new-host=new');
  });

  it('is refused in a shallow clone, which is to be made whole first', async () => {
    const { refused } = await told({ unknown: 'this clone is shallow', next: 'git fetch --unshallow' });
    expect(refused).toContain('is not known: this clone is shallow. No container');
    expect(refused).toContain(
      'next:    git fetch --unshallow, and run the same command again; if it is refused then: check that new leads',
    );
  });
});
