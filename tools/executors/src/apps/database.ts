import { joinSecret, Secret } from '../engine/secret.ts';
import type { Desired, Stage } from '../engine/service.ts';
import postgres from '../services/postgres/service.ts';
import type { PostgresSettings } from '../services/postgres/settings.ts';
import type { AppSettings } from './settings.ts';

// biome-ignore lint/suspicious/noExplicitAny: each stage has a fact type of its own
type AnyStage<S> = Stage<S, any>;

/** Whether the guest has a PostgreSQL server of its own. */
export function hasOwnDatabase({ postgres }: AppSettings): boolean {
  return postgres !== undefined && postgres.host === undefined;
}

/**
 * The stages of the data tier's PostgreSQL, on the guest itself. No network may connect: pg_hba.conf has the guest's own addresses alone,
 * and the firewall has no rule for its port.
 */
export const databaseStages: readonly AnyStage<AppSettings>[] = postgres.stages.map((stage: AnyStage<PostgresSettings>) => ({
  name: `postgres ${stage.name}`,
  facts: (desired) => stage.facts(ofPostgres(desired)),
  plan: (facts, desired) => stage.plan(facts, ofPostgres(desired)),
}));

function ofPostgres({ settings, context }: Desired<AppSettings>): Desired<PostgresSettings> {
  if (settings.postgres === undefined) throw new TypeError('the application has no database');
  const { host: _, ...own } = settings.postgres;
  return { settings: postgres.settings.parse(own), context: { ...context, clientNetworks: [] } };
}

/** Where the application finds its database (RFC 3986; libpq, "Connection URIs"). */
export function databaseUrl({ role, database, password, host, port }: NonNullable<AppSettings['postgres']>): Secret {
  return joinSecret([
    `postgresql://${role}:`,
    new Secret(encodeURIComponent(password.reveal()).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)),
    `@${host ?? '127.0.0.1'}:${port}/${database}`,
  ]);
}
