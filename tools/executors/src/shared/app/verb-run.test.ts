import { expect, it } from 'vitest';
import { MooringError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { Secret } from '../../engine/secret.ts';
import { worldOf } from '../../world/index.ts';
import { runCore } from '../run.ts';
import type { AppInvocation } from './run.ts';
import { eachApp } from './verb-run.ts';

const core = runCore(
  { root: '/w', environment: 'prod', world: worldOf('/w'), runId: 'none', signal: new AbortController().signal, print: () => {} },
  new Map([['PASSWORD', new Secret('hunter2-hunter2')]]),
  { known: [], storage: 'zfs' },
);
const targets = ['notes', 'wiki'].map((project) => ({ project, guest: { name: `${project}-1` } }));
const run = { ...core, targets } as unknown as AppInvocation;

it('gives what became of each application; an error is without secrets, and its command is whole', async () => {
  const outcome = await eachApp(run, 'rollback', async ({ project }) => {
    if (project === 'wiki') throw new MooringError('the lease was taken by hunter2-hunter2', { next: nxRun('log') });
    return 'went back';
  });
  expect(outcome).toMatchObject({
    success: false,
    failed: ['wiki'],
    data: [{ project: 'notes', value: 'went back' }, { project: 'wiki' }],
  });
  const [, wiki] = outcome.data;
  expect(wiki).toMatchObject({
    error: {
      message: 'the lease was taken by (secret)',
      detail: { next: 'nx run zfs:log -c prod', instance: 'wiki-1', step: 'rollback', page: 'applications' },
    },
  });
});
