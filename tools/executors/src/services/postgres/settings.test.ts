import { expect, test } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import type { Desired } from '../../engine/service.ts';
import { desiredParameters } from './conf.ts';
import { type PostgresSettings, settings } from './settings.ts';

const good = { role: 'veza', database: 'veza', password: { secret: 'POSTGRES_PASSWORD' } };

test('what is left out', () => {
  expect(settings.parse(good)).toMatchObject({ version: 16, port: 5432, parameters: {} });
});

test.each([
  [{ role: 'veza; drop' }],
  [{ database: 'veza; drop' }],
  [{ database: 'Veza' }],
  [{ role: 'pg_monitor' }],
  [{ role: 'postgres' }],
  [{ role: 'x'.repeat(64) }],
  [{ database: 'template1' }],
  [{ database: 'veza\n' }],
  [{ version: 14 }],
  [{ version: '16' }],
  [{ port: 0 }],
  [{ port: 5432.5 }],
  [{ password: 'in clear' }],
  [{ password: new Secret('ﬁ') }],
  [{ parameters: { listen_addresses: '*' } }],
  [{ parameters: { Listen_Addresses: '*' } }],
  [{ parameters: { DateStyle: 'ISO', datestyle: 'German' } }],
  [{ parameters: { 'work mem': '1MB' } }],
  [{ parameters: { work_mem: '1MB\nport = 1' } }],
  [{ parameters: { work_mem: null } }],
  [{ superuser: true }],
  [{ apt: { fingerprint: 'B97B' } }],
  [{ apt: { url: 'https://example.org/ x' } }],
  [{ apt: { key: 'x' } }],
  [{ version: 'debian', apt: {} }],
])('%j is refused', (change) => {
  expect(settings.safeParse({ ...good, ...change }).success).toBe(false);
});

test('a parameter may be spelled as the manual spells it', () => {
  const parsed = settings.parse({ ...good, password: new Secret('pencil'), parameters: { DateStyle: 'ISO', TimeZone: 'UTC' } });
  const context = { environment: 'local', instance: 'i', clientNetworks: [], artifacts: {} };
  expect(desiredParameters({ settings: parsed, context } as Desired<PostgresSettings>)).toMatchObject({
    datestyle: 'ISO',
    timezone: 'UTC',
  });
});

test('a refused password is not in the message', () => {
  const { error } = settings.safeParse({ ...good, password: new Secret('geheim ﬁ') });
  expect(error?.message).toContain('SASLprep');
  expect(error?.message).not.toContain('geheim');
});
