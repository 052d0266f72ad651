import { z } from 'zod';
import type { Secret } from '../../engine/secret.ts';
import { secretReference } from '../../secrets/reference.ts';

/** Eviction policies of the Redis manual ("Key eviction"). The policy is explicit: LRU eviction drops the jobs of a queue. */
const evictionPolicies = [
  'noeviction',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
] as const;

/** Parameters that this service writes itself; they cannot be set under `parameters`. */
export const ownParameters = [
  'bind',
  'port',
  'protected-mode',
  'requirepass',
  'maxmemory',
  'maxmemory-policy',
  'appendonly',
  'dir',
  'save',
] as const;

/** `settings` of a container with `"service": "redis"`. */
export const settings = z.strictObject({
  password: secretReference.describe('Password that clients use (AUTH).'),
  port: z.int().min(1).max(65535).default(6379).describe('TCP port.'),
  maxmemory: z
    .string()
    .regex(/^\d+(kb|mb|gb)$/, 'expected a size such as 256mb')
    .default('256mb')
    .describe('Memory limit: a number with kb, mb or gb (powers of 1024).'),
  maxmemoryPolicy: z
    .enum(evictionPolicies)
    .describe('What happens when the limit is reached. Job queues (BullMQ) need noeviction; pure caches allkeys-lru.'),
  parameters: z
    .record(
      z
        .string()
        .regex(/^[a-z][a-z0-9-]*$/, 'expected a redis.conf parameter such as timeout')
        .refine((name) => !(ownParameters as readonly string[]).includes(name), 'this parameter has a setting of its own or is not free'),
      z.string().regex(/^[^\n]*$/, 'expected one line'),
    )
    .default({})
    .describe('Further redis.conf parameters by name.'),
});

export type RedisSettings = Omit<z.output<typeof settings>, 'password'> & { password: Secret };
