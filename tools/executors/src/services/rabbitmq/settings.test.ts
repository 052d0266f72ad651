import { expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { settings } from './settings.ts';

it.each(['raft.data_dir', 'raft.wal_data_dir', 'default_user', 'listeners.tcp.1'])('%s has a setting of its own or is not free', (key) => {
  const { success, error } = settings.safeParse({ password: new Secret('any'), parameters: { [key]: '/elsewhere' } });
  expect(success).toBe(false);
  expect(String(error)).toContain('this key has a setting of its own or is not free');
});
