import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { providerOf } from '../../test/lab/secrets.mjs';

/** The JSON object in an output that nx has put its own lines around; it begins and ends on lines of their own. */
export function parseStatus(output) {
  const lines = output.split('\n');
  for (let first = 0; first < lines.length; first++) {
    if (!lines[first].startsWith('{')) continue;
    for (let last = lines.length; last > first; last--) {
      if (!lines[last - 1].trimEnd().endsWith('}')) continue;
      const value = parsed(lines.slice(first, last).join('\n'));
      if (Array.isArray(value?.containers)) return value;
    }
  }
  return undefined;
}

function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const text = (value) => (value === null || value === undefined || value === '' ? '-' : String(value));
const nameOf = (container) => container.instance ?? container.container;
const shortened = (restorePoint) => text(restorePoint).replace(/([0-9a-f]{12})[0-9a-f]{28}/, '$1');

export function table(containers) {
  const rows = [
    ['container', 'address', 'service and version', 'health', 'restore point'],
    ...containers.map((c) => [
      text(nameOf(c)),
      text(c.address),
      `${text(c.service)} ${text(c.version)}`,
      text(c.health),
      shortened(c.restorePoint),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd()).join('\n');
}

/** A setting is a text or names a secret; a secret is asked for by its name, never shown. */
const plain = (setting, otherwise) => (typeof setting === 'string' || typeof setting === 'number' ? setting : otherwise);
const secret = (setting, otherwise) => setting?.secret ?? (typeof setting === 'string' ? setting : otherwise);

const commands = {
  postgres: (address, s) => ({
    command: `psql -h ${address} -p ${plain(s.port, 5432)} -U ${plain(s.role, 'veza')} ${plain(s.database, 'veza')}`,
    asks: `asks for the password: ${secret(s.password, 'POSTGRES_PASSWORD')}`,
  }),
  redis: (address, s) => ({
    command: `redis-cli -h ${address} -p ${plain(s.port, 6379)} --askpass`,
    asks: `asks for the password: ${secret(s.password, 'REDIS_PASSWORD')}`,
  }),
  rabbitmq: (address, s) => ({
    command: `amqp://${plain(s.user, 'veza')}@${address}:${plain(s.port, 5672)}/${encodeURIComponent(plain(s.vhost, '/veza'))}`,
    asks: `an AMQP client's URL; the password: ${secret(s.password, 'RABBITMQ_PASSWORD')}`,
  }),
  minio: (address, s, environment) => {
    const bucket = String(plain(s.bucket, 'veza-${environment}')).replaceAll('${environment}', environment);
    return {
      command: `mc alias set veza-${environment} http://${address}:${plain(s.port, 9000)} && mc ls veza-${environment}/${bucket}`,
      asks: `asks for both keys: ${secret(s.accessKey, 'MINIO_ACCESS_KEY')} and ${secret(s.secretKey, 'MINIO_SECRET_KEY')}`,
    };
  },
};

function settingsOf(workspace, project) {
  try {
    return JSON.parse(readFileSync(join(workspace, 'infra', project, 'container.json'), 'utf8')).settings ?? {};
  } catch {
    return {};
  }
}

/** How to reach each service, and which names of the secrets file it asks for; never a value. */
export function connections(containers, workspace, environment) {
  const known = containers.filter((c) => c.service in commands && c.address);
  if (known.length === 0) return [];
  const width = Math.max(...known.map((c) => c.service.length));
  const lines = known.flatMap((c) => {
    const { command, asks } = commands[c.service](c.address, settingsOf(workspace, c.container), environment);
    return [`  ${c.service.padEnd(width)}  ${command}`, `  ${' '.repeat(width)}    ${asks}`];
  });
  const place =
    providerOf(workspace, environment) === 'file'
      ? `in .secrets/${environment}.env`
      : `where "secrets" of infra/environments/${environment}.json says`;
  return ['Connect from this machine:', ...lines, `The values of these names are ${place}.`];
}
