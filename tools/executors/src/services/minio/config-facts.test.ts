import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseConfig } from './config-facts.ts';
import { settings } from './settings.ts';
import { environmentFile, parseEnvironmentFile, unitText } from './unit.ts';

// Recorded in a Debian 12 container (bash 5.2, systemd 252).
const recorded = readFileSync(join(import.meta.dirname, 'transcripts/config.txt'), 'utf8');

it('reads what a configured container says', () => {
  const found = parseConfig(recorded, '/var/lib/minio');
  expect(found).toMatchObject({
    user: true,
    data: { mode: '700', owner: 'minio-user:minio-user' },
    rootUser: { same: true, mode: '640', owner: 'root:minio-user' },
    rootPassword: { same: true },
    service: { active: 'active', enabled: 'enabled', needsReload: false },
    newerThanProcess: [],
  });
  expect(found.unit).toEqual({ text: unitText, mode: '644', owner: 'root:root' });
  expect(parseEnvironmentFile(found.environment?.text ?? '').MINIO_VOLUMES).toBe('/var/lib/minio');
});

it('reads what a fresh container says', () => {
  const fresh = 'user no\nnow 1795413488\nExecMainStartTimestamp=\nActiveState=inactive\nUnitFileState=\nNeedDaemonReload=no\n';
  expect(parseConfig(fresh, '/var/lib/minio')).toEqual({
    user: false,
    data: null,
    rootUser: null,
    rootPassword: null,
    environment: null,
    unit: null,
    service: { active: 'inactive', enabled: '', needsReload: false },
    newerThanProcess: [],
  });
});

it('sees a file that changed after the server was started, but not one from the future', () => {
  const changed = (mtime: number) => recorded.replace(/(\/etc\/minio\/root-password 640 \S+) \d+/, `$1 ${mtime}`);
  expect(parseConfig(changed(1795413270), '/var/lib/minio').newerThanProcess).toEqual(['/etc/minio/root-password']);
  expect(parseConfig(changed(1895413270), '/var/lib/minio').newerThanProcess).toEqual([]);
});

it.each([
  ['an unknown line', 'user yes\nwhat is this\n'],
  ['a missing answer', recorded.replace(/^ActiveState=.*\n/m, '')],
  ['a time that is none', recorded.replace(/^now .*/m, 'now soon')],
])('refuses %s', (_, text) => {
  expect(() => parseConfig(text, '/var/lib/minio')).toThrow('unexpected');
});

it('reads its own EnvironmentFile back', () => {
  const reference = { secret: 'A' };
  const parsed = settings.parse({
    rootUser: reference,
    rootPassword: reference,
    accessKey: reference,
    secretKey: reference,
    bucket: 'abc',
    console: true,
  });
  expect(parseEnvironmentFile(environmentFile(parsed))).toEqual({
    MINIO_VOLUMES: '/var/lib/minio',
    MINIO_OPTS: '--address :9000 --console-address :9001',
    MINIO_ROOT_USER_FILE: '/etc/minio/root-user',
    MINIO_ROOT_PASSWORD_FILE: '/etc/minio/root-password',
    MINIO_SITE_REGION: 'us-east-1',
    MINIO_BROWSER: 'on',
    MINIO_UPDATE: 'off',
  });
});
