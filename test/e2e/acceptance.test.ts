import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { amqp, redis, s3, sql } from './clients.ts';
import { expectConverged } from './expectations.ts';
import { jsonIn } from './output.ts';
import { ended, nxEnvironment, REPOSITORY, run } from './workspace.ts';

/** Issue acceptance 1 to 3, as a stranger would type it in this clone: it uses the environments `local` and `staging` of the lab. */

const npm = (...args: readonly string[]) => ended('npm', ['run', '--silent', ...args], REPOSITORY, { ...process.env, ...nxEnvironment() });
const nx = (...args: readonly string[]) =>
  ended(join(REPOSITORY, 'node_modules/.bin/nx'), [...args, '--output-style=static'], REPOSITORY, nxEnvironment());

function secretsOf(environment: string): Record<string, string> {
  const text = readFileSync(join(REPOSITORY, '.secrets', `${environment}.env`), 'utf8');
  return Object.fromEntries(
    text
      .split('\n')
      .flatMap((line) => (/^[A-Z]/.test(line) ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]] : [])),
  );
}

async function addresses(): Promise<Record<string, string>> {
  const output = await expectConverged(nx('run', 'zfs:status', '-c', 'local', '--json'));
  const { containers } = jsonIn<{ containers: { container: string; address: string }[] }>(output);
  return Object.fromEntries(containers.map(({ container, address }) => [container, address]));
}

async function instances(project: string): Promise<unknown> {
  const all = JSON.parse(await run('incus', ['query', `/1.0/instances?recursion=2&project=${project}`])) as {
    name: string;
    config: unknown;
    snapshots: { name: string }[] | null;
  }[];
  return all
    .filter(({ name }) => name.startsWith('veza-'))
    .map(({ name, config, snapshots }) => ({ name, config, snapshots: (snapshots ?? []).map((one) => one.name) }));
}

it('npm run quickstart exits 0, shows where to connect and never a secret; the four clients get in', async () => {
  const { code, output } = await npm('quickstart', '--', '--yes');
  expect(code, output).toBe(0);
  const secrets = secretsOf('local');
  for (const [name, value] of Object.entries(secrets)) expect(output.includes(value), `${name} is shown`).toBe(false);
  expect(output).toContain('.secrets/local.env');
  const at = await addresses();
  expect(Object.keys(at).sort()).toEqual(['minio', 'postgres', 'rabbitmq', 'redis']);
  expect(await sql(String(at.postgres), String(secrets.POSTGRES_PASSWORD), 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(await redis(String(at.redis), String(secrets.REDIS_PASSWORD), ['PING'])).toContain('+PONG');
  expect(await amqp(String(at.rabbitmq), String(secrets.RABBITMQ_PASSWORD), 'acceptance', 'hello')).toBe('hello');
  expect(await amqp(String(at.rabbitmq), String(secrets.RABBITMQ_PASSWORD), 'acceptance')).toBe('hello');
  const keys = { accessKey: String(secrets.MINIO_ACCESS_KEY), secretKey: String(secrets.MINIO_SECRET_KEY) };
  await s3(String(at.minio), keys, 'PUT', '/veza-local/acceptance', 'hello');
  expect(await s3(String(at.minio), keys, 'GET', '/veza-local/acceptance')).toBe('hello');
}, 900_000);

it('npm run quickstart again: seconds, 0 changes, seen from outside; plan --fail-on-changes exits 0', async () => {
  const before = await instances('default');
  const { code, output } = await npm('quickstart', '--', '--yes');
  expect(code, output).toBe(0);
  expect(output).toContain('local: 0 changes');
  expect(await instances('default')).toEqual(before);
  const plan = await nx('run-many', '-t', 'plan', '--configuration=local', '--fail-on-changes');
  expect(plan.code, plan.output).toBe(0);
});

it('npm run lab:staging, then configure over SSH twice: exit 0, the second time with 0 changes', async () => {
  const staging = await npm('lab:staging');
  expect(staging.code, staging.output).toBe(0);
  const first = await nx('run-many', '-t', 'configure', '--configuration=staging', '--allow-dirty');
  expect(first.code, first.output).toBe(0);
  const before = await instances('veza-staging');
  const second = await nx('run-many', '-t', 'configure', '--configuration=staging', '--allow-dirty');
  expect(second.code, second.output).toBe(0);
  expect(second.output).toContain('staging: 0 changes; 3 round trips');
  expect(await instances('veza-staging')).toEqual(before);
}, 600_000);
