import { expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { settings } from './settings.ts';

it.each([
  ['raft.data_dir', 'it names another place for the data'],
  ['raft.wal_data_dir', 'it names another place for the data'],
  ['default_user', 'use the setting "user" instead'],
  ['default_pass', 'use the setting "password" instead'],
  ['default_vhost', 'use the setting "vhost" instead'],
  ['default_user_tags.administrator', 'use the setting "tags" instead'],
  ['default_permissions.read', 'the settings "user" and "vhost" say who may do what'],
  ['listeners.tcp.1', 'use the setting "port" instead'],
])('%s is not free: %s', (key, why) => {
  const { success, error } = settings.safeParse({ password: new Secret('any'), parameters: { [key]: '/elsewhere' } });
  expect(success).toBe(false);
  expect(String(error)).toContain(JSON.stringify(why).slice(1, -1));
});

it('takes numbers and booleans, as rabbitmq.conf writes them', () =>
  expect(
    settings.parse({ password: new Secret('any'), parameters: { channel_max: 0, 'ssl_options.verify': true, heartbeat: '60' } }).parameters,
  ).toEqual({ channel_max: '0', 'ssl_options.verify': 'true', heartbeat: '60' }));

it.each([1e21, 1e-7])('does not write %j with an exponent', (channel_max) => {
  expect(settings.safeParse({ password: new Secret('any'), parameters: { channel_max } }).error?.issues[0]?.message).toBe(
    'expected a number of fewer digits, or a text',
  );
});
