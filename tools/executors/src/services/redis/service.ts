import type { z } from 'zod';
import { defineService } from '../../engine/service.ts';
import { census } from './census.ts';
import { UNIT } from './changes.ts';
import { config } from './config.ts';
import { inside, outside } from './health.ts';
import { packages } from './packages.ts';
import { settleAppendOnlyFile } from './quiesce.ts';
import { type RedisSettings, settings } from './settings.ts';

/** Redis with a password, an append-only file, a memory limit and an explicit eviction policy. */
export default defineService<RedisSettings>({
  name: 'redis',
  settings: settings as z.ZodType<RedisSettings>,
  stages: [packages, config],
  // The append-only file is replayed up to its last whole command (Redis manual, "Redis persistence", aof-load-truncated).
  quiesce: { before: (desired) => [settleAppendOnlyFile(desired)], timeoutMs: 10_000 },
  health: { inside, outside },
  census,
  unit: UNIT,
  starter: (secret) => ({
    description: 'Redis: sessions and job queues, kept by an append-only file',
    settings: { password: secret('PASSWORD'), maxmemory: '256mb', maxmemoryPolicy: 'noeviction' },
  }),
});
