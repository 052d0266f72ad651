import { describe, expect, it } from 'vitest';
import { sameWords, splitWords } from './compare.ts';
import { ruleOf } from './parameters.ts';

/** Whether a line of the settings means what Redis 7.0.15 prints. */
function means(name: string, line: string, printed: string): boolean {
  const { compare = sameWords } = ruleOf(name);
  return compare(splitWords(line) ?? [], printed);
}

describe('a value', () => {
  it.each([
    ['repl-backlog-size', '64mb', '67108864'],
    ['repl-backlog-size', '1GB', '1073741824'],
    ['repl-backlog-size', '64m', '64000000'],
    ['repl-backlog-size', '67108864', '67108864'],
    ['maxmemory-clients', '5%', '5%'],
    ['timeout', '030', '30'],
    ['list-max-listpack-size', '-2', '-2'],
    ['unixsocketperm', '0770', '770'],
    ['lazyfree-lazy-expire', 'YES', 'yes'],
    ['appendfsync', 'EverySec', 'everysec'],
    ['syslog-facility', 'LOCAL0', 'local0'],
    ['oom-score-adj', 'relative', 'yes'],
    ['oom-score-adj', 'absolute', 'absolute'],
    ['oom-score-adj-values', '0  200 800', '0 200 800'],
    ['latency-tracking-info-percentiles', '50 99.0 99.9', '50 99 99.9'],
    ['notify-keyspace-events', 'KEA', 'AKE'],
    ['notify-keyspace-events', 'Kg$lshzxetd', 'AK'],
    ['notify-keyspace-events', 'EAn', 'AE'],
    ['notify-keyspace-events', '""', ''],
    ['shutdown-on-sigterm', 'now NOSAVE', 'nosave now'],
    ['save', '""', ''],
    ['save', '900 1 300 10', '900 1 300 10'],
    ['client-output-buffer-limit', 'normal 64mb 0 0', 'normal 67108864 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60'],
    ['client-output-buffer-limit', 'Replica 256mb 64mb 60', 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60'],
    ['proc-title-template', '"{title} \\"x\\""', '{title} "x"'],
    ['proc-title-template', "'{title}'", '{title}'],
    ['unixsocket', '/run/redis/Redis.sock', '/run/redis/Redis.sock'],
  ])('of %s: %s is %s', (name, line, printed) => expect(means(name, line, printed)).toBe(true));

  it.each([
    ['repl-backlog-size', '64mb', '67108865'],
    ['repl-backlog-size', '64mb', '64000000'],
    ['maxmemory-clients', '5%', '5'],
    ['lazyfree-lazy-expire', 'yes', 'no'],
    ['oom-score-adj', 'relative', 'absolute'],
    ['notify-keyspace-events', 'KEA', 'KE'],
    ['notify-keyspace-events', 'Kg', 'AK'],
    ['shutdown-on-sigterm', 'now', 'nosave now'],
    ['save', '900 1', '900 1 300 10'],
    ['save', '""', '3600 1 300 100 60 10000'],
    ['client-output-buffer-limit', 'pubsub 64mb 8mb 60', 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60'],
    ['unixsocket', '/run/redis/Redis.sock', '/run/redis/redis.sock'],
  ])('of %s: %s is not %s', (name, line, printed) => expect(means(name, line, printed)).toBe(false));
});

it('a line with quotes that are not balanced has no words', () =>
  expect([splitWords('"a'), splitWords('a "b c" d'), splitWords('"\\x22\\n"'), splitWords('')]).toEqual([
    undefined,
    ['a', 'b c', 'd'],
    ['"\n'],
    [],
  ]));
