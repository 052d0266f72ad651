import { expect, it } from 'vitest';
import { plan } from '../../../../test/plan-of-redis.ts';
import { MooringError } from '../engine/errors.ts';
import { jsonPlan, showPlan } from './plan.ts';

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

const refused = [
  {
    container: 'minio',
    error: new MooringError('veza-staging-minio is absent', { host: 'veza-staging', next: 'nx run minio:plan -c staging' }),
  },
];

it('tells those that are refused by themselves, below the plans of the others', () => {
  expect(
    showPlan({ ...plan, refused })
      .split('\n')
      .slice(9),
  ).toEqual([
    'minio: refused',
    '  veza-staging-minio is absent',
    '    where:   host veza-staging',
    '    next:    nx run minio:plan -c staging',
    '    more:    docs/errors.md',
    'restore point: would be cut: there is no restore point yet',
    '2 changes (1 with restart) in staging; refused: minio',
  ]);
  expect(jsonPlan({ ...plan, refused })).toMatchObject({
    changes: 2,
    containers: [{ container: 'redis' }],
    refused: [
      { container: 'minio', because: 'veza-staging-minio is absent', error: expect.stringContaining('next:    nx run minio:plan') },
    ],
  });
});

it('says nothing of all where one is refused', () => {
  expect(
    showPlan({ ...plan, containers: [], refused })
      .split('\n')
      .at(-1),
  ).toBe('0 changes in the rest of staging; refused: minio');
});

it('without changes says so', () => {
  expect(
    showPlan({ ...plan, containers: [] })
      .split('\n')
      .at(-1),
  ).toBe('0 changes: staging is as the settings say');
});
