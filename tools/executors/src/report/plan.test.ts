import { expect, it } from 'vitest';
import type { Change } from '../engine/change.ts';
import { write } from '../engine/command.ts';
import { Secret } from '../engine/secret.ts';
import { jsonPlan, type Plan, showPlan } from './plan.ts';

const change: Change = {
  resource: 'running server',
  action: 'update',
  before: { maxmemory: '128mb', password: '(secret, differs)' },
  after: { maxmemory: '256mb', password: '(secret)' },
  impact: 'none',
  because: 'CONFIG SET changes it without a restart',
  commands: [write(['redis-cli', '-p', '6379'], { stdin: new Secret('hunter2-hunter2') })],
};
const restart: Change = {
  resource: 'unit redis-server',
  action: 'restart',
  impact: 'restart',
  because: 'only a restart changes databases',
  commands: [],
};
const plan: Plan = {
  environment: 'staging',
  release: '0123456789abcdef0123456789abcdef01234567',
  restorePoint: 'would be cut: there is no restore point yet',
  containers: [
    {
      container: 'redis',
      instance: 'veza-staging-redis',
      host: 'veza-staging',
      provision: [],
      stages: [
        { stage: 'packages', changes: [] },
        { stage: 'config', changes: [change, restart] },
        { stage: 'objects', knownAfter: 'config' },
      ],
    },
  ],
};

it('is shown as the operator reads it', () => {
  expect(showPlan(plan)).toMatchInlineSnapshot(`
    "redis (veza-staging-redis on veza-staging)
      provision: no changes
      packages: no changes
      config:
        update running server: CONFIG SET changes it without a restart
          maxmemory: 128mb -> 256mb
          password: (secret, differs) -> (secret)
        restart unit redis-server (restart): only a restart changes databases
      objects: known after config
    restore point: would be cut: there is no restore point yet
    2 changes (1 with restart) in staging"
  `);
});

it('is data for a program, without what is fed to commands', () => {
  const json = jsonPlan(plan) as { changes: number; containers: { stages: { changes: { commands: string[] }[] }[] }[] };
  expect(json.changes).toBe(2);
  expect(json.containers[0]?.stages[1]?.changes[0]?.commands).toEqual(['redis-cli -p 6379']);
  expect(JSON.stringify(json)).not.toContain('hunter2');
});

it('without changes says so', () => {
  expect(
    showPlan({ ...plan, containers: [] })
      .split('\n')
      .at(-1),
  ).toBe('0 changes: staging is as the settings say');
});
