import type { z } from 'zod';
import { defineService } from '../../engine/service.ts';
import { census } from './census.ts';
import { config } from './config.ts';
import { inside, outside } from './health.ts';
import { objects } from './objects.ts';
import { fetches, packages } from './packages.ts';
import { checkpoint } from './quiesce.ts';
import { type PostgresSettings, settings } from './settings.ts';

/** PostgreSQL with one role, one database in UTF-8 that belongs to it, and a pg_hba.conf for the environment's networks. */
export default defineService<PostgresSettings>({
  name: 'postgres',
  settings: settings as unknown as z.ZodType<PostgresSettings>,
  stages: [packages, config, objects],
  // Data and WAL lie in one dataset and are cut together: the snapshot is what a power failure would leave, and recovery
  // from it is what PostgreSQL is built for. The checkpoint only makes it short.
  quiesce: { before: () => [checkpoint], timeoutMs: 60_000 },
  health: { inside, outside },
  census,
  unit: 'postgresql@*',
  fetches,
  starter: (secret) => ({
    description: "PostgreSQL: the application's database",
    settings: { role: 'app', database: 'app', password: secret('PASSWORD') },
  }),
});
