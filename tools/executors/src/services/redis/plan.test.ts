import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { caseSettings } from '../../../../../test/cases.ts';
import { showDifference } from '../../engine/show-change.ts';
import { planConfig } from './plan.ts';
import { settings } from './settings.ts';

const planned = (name: string) => {
  const given = JSON.parse(readFileSync(join(import.meta.dirname, 'cases', `${name}.json`), 'utf8'));
  const context = { environment: 'local', instance: 'veza-local-redis', clientNetworks: [], artifacts: {} };
  return planConfig(given.facts, { settings: settings.parse(caseSettings(given.settings)) as never, context });
};

it('names each directive that goes, and hides what may be a password', () => {
  const [file] = planned('drift-directives-left-out');
  expect(file && showDifference(file)).toEqual([
    'port: 6379 -> 6380',
    'repl-backlog-size: 64mb -> (removed)',
    'rename-command: FLUSHALL ""; KEYS "" -> (removed)',
    'user: (secret) -> (removed)',
    'unixsocket: /run/redis/redis.sock -> (removed)',
    'timeout: 30',
  ]);
});

it('a restart says all that it changes', () => {
  expect(planned('drift-directives-left-out').at(-1)?.because).toBe(
    'only a restart changes unixsocket, rename-command, user; it brings port, timeout, repl-backlog-size, requirepass into force too',
  );
});
