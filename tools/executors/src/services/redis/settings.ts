import { z } from 'zod';
import type { Secret } from '../../engine/secret.ts';
import { secretReference } from '../../engine/secret-reference.ts';
import { splitWords } from './compare.ts';
import { ruleOf } from './parameters.ts';
import { COMMANDS } from './words.ts';

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

const parameterName = z.string().regex(/^[a-z][a-z0-9_.-]*$/, 'expected a redis.conf parameter in small letters, such as timeout');
const line = z.string().regex(/^[^\r\n\0]*$/, 'expected one line');

const parameters = z.record(parameterName, z.union([line, z.array(line).min(1)])).superRefine((all, context) => {
  for (const [name, value] of Object.entries(all)) {
    const message = [value].flat().flatMap((text) => refusalOf(name, text))[0];
    if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
  }
});

/** Why a line cannot be in `parameters`. Everything else is for Redis itself to judge. */
function refusalOf(name: string, text: string): string[] {
  const { from, refused } = ruleOf(name);
  if (from !== undefined) return ['nx-mooring writes this parameter itself'];
  if (refused !== undefined) return [`this parameter is not taken: ${refused}`];
  const [word = ''] = splitWords(text) ?? [];
  if (name === 'rename-command' && (COMMANDS as readonly string[]).includes(word.toUpperCase()))
    return [`nx-mooring sends ${word.toUpperCase()} itself: it cannot have another name`];
  if (name === 'user' && word === 'default')
    return ['the user "default" is the one that "password" belongs to, and that nx-mooring logs in as'];
  return [];
}

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
  parameters: parameters
    .default({})
    .describe('Further redis.conf parameters by name, a text each; a list of texts for one that has several lines, such as "user".'),
});

export type RedisSettings = Omit<z.output<typeof settings>, 'password'> & { password: Secret };
