import { z } from 'zod';
import type { Secret } from '../../engine/secret.ts';
import { secretReference } from '../../engine/secret-reference.ts';
import { parameterName, parameterValue, useSetting } from '../parameters.ts';
import { sizeOf, splitWords } from './compare.ts';
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

const name = parameterName(/^[a-z][a-z0-9_.-]*$/, 'expected a redis.conf parameter in small letters, such as timeout', (name) => {
  const { from, setting, refused } = ruleOf(name);
  if (setting !== undefined) return useSetting(setting);
  if (from !== undefined) return 'nx-mooring writes this parameter itself';
  return refused === undefined ? undefined : `this parameter is not taken: ${refused}`;
});
const line = parameterValue(/^[^\r\n\0]*$/, 'one line', ['yes', 'no']);

const SIZE = 'expected a size such as 256mb: bytes, or a number with k, kb, m, mb, g or gb, in small or capital letters';

const parameters = z
  .record(name, z.union([line, z.array(line).min(1)], 'expected one line (a text, a number, true or false), or a list of them'))
  .superRefine((all, context) => {
    for (const [name, value] of Object.entries(all)) {
      const message = [value].flat().flatMap((text) => refusalOf(name, text))[0];
      if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
    }
  });

/** How many connections nx-mooring has at a time: a service is asked from inside and from outside at once. */
export const OWN_CONNECTIONS = 2;

/** Why a line cannot be in `parameters`. Everything else is for Redis itself to judge. */
function refusalOf(name: string, text: string): string[] {
  const [word = ''] = splitWords(text) ?? [];
  if (name === 'rename-command' && (COMMANDS as readonly string[]).includes(word.toUpperCase()))
    return [`nx-mooring sends ${word.toUpperCase()} itself: it cannot have another name`];
  if (name === 'user' && word === 'default')
    return ['the user "default" is the one that "password" belongs to, and that nx-mooring logs in as'];
  if (name === 'maxclients' && Number(text) <= OWN_CONNECTIONS)
    return [`expected ${OWN_CONNECTIONS + 1} or more: nx-mooring itself needs ${OWN_CONNECTIONS} connections at a time`];
  return [];
}

/** `settings` of a container with `"service": "redis"`. */
export const settings = z.strictObject({
  password: secretReference.describe('Password that clients use (AUTH).'),
  port: z.int().min(1).max(65535).default(6379).describe('TCP port.'),
  maxmemory: z
    .string()
    .regex(/^\d+(b|kb?|mb?|gb?)?$/i, SIZE)
    .refine((size) => Number.isSafeInteger(sizeOf(size)), SIZE)
    .default('256mb')
    .describe('Memory limit, as Redis reads it: kb, mb and gb are powers of 1024; k, m and g of 1000; in small or capital letters.'),
  maxmemoryPolicy: z
    .enum(evictionPolicies)
    .describe('What happens when the limit is reached. Job queues (BullMQ) need noeviction; pure caches allkeys-lru.'),
  parameters: parameters
    .prefault({})
    .describe(
      'Further redis.conf parameters by name, a text, a number, true or false each; a list for one that has several lines, such as "user".',
    ),
});

export type RedisSettings = Omit<z.output<typeof settings>, 'password'> & { password: Secret };
