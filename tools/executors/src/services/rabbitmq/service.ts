import type { z } from 'zod';
import { defineService } from '../../engine/service.ts';
import { syncFolder } from '../sync.ts';
import { census } from './census.ts';
import { config } from './config.ts';
import { paths, UNIT } from './files.ts';
import { inside, outside } from './health.ts';
import { objects } from './objects.ts';
import { packages } from './packages.ts';
import { type RabbitmqSettings, settings } from './settings.ts';

/** RabbitMQ as one node with a pinned name: a virtual host, and a user who may do everything in it. */
export default defineService<RabbitmqSettings>({
  name: 'rabbitmq',
  settings: settings as z.ZodType<RabbitmqSettings>,
  stages: [packages, config, objects],
  // RabbitMQ has no command that makes its stores cheaper to recover from. A publisher's confirm of a
  // persistent message comes after it was written to disk (RabbitMQ manual, "Publisher Confirms", "When Will Published Messages Be
  // Confirmed by the Broker"), so an atomic snapshot holds what was confirmed before it, as after a loss of power. That the node
  // be stopped for a backup (manual, "Backup and Restore") is meant for copying its files one after the other.
  quiesce: { before: () => [syncFolder(paths.data)], timeoutMs: 60_000 },
  health: { inside, outside },
  census,
  unit: UNIT,
  starter: (secret) => ({
    description: 'RabbitMQ: messages between the services',
    settings: { user: 'app', vhost: '/app', password: secret('PASSWORD'), erlangCookie: secret('ERLANG_COOKIE') },
  }),
});
