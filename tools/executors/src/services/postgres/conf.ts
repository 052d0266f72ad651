import type { Desired } from '../../engine/service.ts';
import { HEADER } from '../managed-file.ts';
import type { PostgresSettings } from './settings.ts';

/** postgresql.conf parameters by name, as text. */
export type Parameters = Readonly<Record<string, string>>;

/** What `pg_settings` says of one parameter. */
export type LiveParameter = {
  readonly value: string;
  readonly unit: string | null;
  readonly type: string;
  /** Only a restart changes it (context `postmaster`). */
  readonly restart: boolean;
  /** It was changed in a file and waits for a restart. */
  readonly pending: boolean;
};

/**
 * What the settings say of the server. It listens on every address of the container, as that may change; who may connect is for
 * pg_hba.conf to say. IPv6 only where there is a network of it: with both families PostgreSQL comes up half if the port of
 * one is taken, and says so in its log alone.
 */
export function desiredParameters({ settings, context }: Desired<PostgresSettings>): Parameters {
  return {
    listen_addresses: context.clientNetworks.some((network) => network.includes(':')) ? '*' : '0.0.0.0',
    port: String(settings.port),
    password_encryption: 'scram-sha-256',
    ...Object.fromEntries(Object.entries(settings.parameters).map(([name, value]) => [name.toLowerCase(), value])),
  };
}

/** The text of our file in conf.d. */
export function renderConf(parameters: Parameters): string {
  return `${HEADER}${Object.entries(parameters)
    .map(([name, value]) => parameterLine(name, value))
    .join('')}`;
}

/** A line of a configuration file. */
export function parameterLine(name: string, value: string): string {
  return `${name} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'\n`;
}

/** Parameters of a postgresql.conf text; of a name that comes twice the last counts, as for PostgreSQL. For showing what differs. */
export function parseConf(text: string): Parameters {
  const lines = text.split('\n').map((line) => /^\s*([a-z_][\w.]*)\s*(?:=\s*|\s)(?:'((?:[^'\\]|''|\\.)*)'|([^\s#]+))/i.exec(line));
  return Object.fromEntries(
    lines.flatMap((line) =>
      line === null ? [] : [[String(line[1]).toLowerCase(), line[2]?.replaceAll(/''|\\(.)/g, (_, c) => c ?? "'") ?? String(line[3])]],
    ),
  );
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 },
  ...{ us: 1e-3, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 },
};

const BOOLEANS: Readonly<Record<string, string>> = {
  on: 'on',
  true: 'on',
  yes: 'on',
  1: 'on',
  off: 'off',
  false: 'off',
  no: 'off',
  0: 'off',
};

/**
 * Whether a text of the settings is surely the value that the server runs with: `256MB` is 32768 units of 8kB.
 * In doubt (rounding, prefixes such as `t`) the answer is no: it costs a restart, where a wrong yes would cost the setting.
 */
export function sameValue(text: string, live: LiveParameter): boolean {
  if (text === live.value) return true;
  if (live.type === 'bool') return BOOLEANS[text.toLowerCase()] === live.value;
  if (live.type === 'enum') return text.toLowerCase() === live.value.toLowerCase();
  if (live.type !== 'integer' && live.type !== 'real') return false;
  const [, count, unit] = /^\s*(-?\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$/.exec(text) ?? [];
  const base = measure(live.unit ?? '');
  const given = unit === '' ? base : UNITS[unit ?? ''];
  return count !== undefined && base !== undefined && given !== undefined && Number(count) * given === Number(live.value) * base;
}

/** The size of a unit of `pg_settings`, such as `8kB` or `s`; 1 for none. */
function measure(unit: string): number | undefined {
  if (unit === '') return 1;
  const [, count, name] = /^(\d*)([a-zA-Z]+)$/.exec(unit) ?? [];
  const size = UNITS[name ?? ''];
  return size === undefined ? undefined : size * Number(count || 1);
}
