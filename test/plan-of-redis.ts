import type { Change } from '../tools/executors/src/engine/change.ts';
import { write } from '../tools/executors/src/engine/command.ts';
import { Secret } from '../tools/executors/src/engine/secret.ts';
import type { Plan } from '../tools/executors/src/shared/plan-container.ts';

/** A change without a restart; its command carries a secret. */
export const change: Change = {
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

/** The plan of one container. */
export const redis = {
  container: 'redis',
  instance: 'veza-staging-redis',
  host: 'veza-staging',
  provision: [],
  stages: [
    { stage: 'packages', changes: [] },
    { stage: 'config', changes: [change, restart] },
    { stage: 'objects', knownAfter: 'config' },
  ],
};

/** The plan of an environment that has this one. */
export const plan: Plan = {
  environment: 'staging',
  release: '0123456789abcdef0123456789abcdef01234567',
  restorePoint: 'would be cut: there is no restore point yet',
  containers: [redis],
  refused: [],
};
