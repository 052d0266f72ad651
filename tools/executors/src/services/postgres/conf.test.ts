import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LiveParameter, parseConf, renderConf, sameValue } from './conf.ts';
import { hbaRules, renderHba } from './hba.ts';

const live = (value: string, type: string, unit: string | null = null): LiveParameter => ({
  value,
  unit,
  type,
  restart: true,
  pending: false,
});

test.each([
  ['256MB', live('32768', 'integer', '8kB')],
  ['262144kB', live('32768', 'integer', '8kB')],
  ['0.25GB', live('32768', 'integer', '8kB')],
  ['32768', live('32768', 'integer', '8kB')],
  ['5min', live('300', 'integer', 's')],
  ['200ms', live('200', 'integer', 'ms')],
  ['-1', live('-1', 'integer')],
  ['0.5', live('0.5', 'real')],
  ['true', live('on', 'bool')],
  ['Replica', live('replica', 'enum')],
  ['pg_stat_statements', live('pg_stat_statements', 'string')],
])('%s is what %o says', (text, parameter) => {
  expect(sameValue(text, parameter)).toBe(true);
});

test.each([
  ['257MB', live('32768', 'integer', '8kB')],
  ['32767', live('32768', 'integer', '8kB')],
  ['256mb', live('32768', 'integer', '8kB')],
  ['on', live('off', 'bool')],
  ['t', live('on', 'bool')],
  ['Pg_stat_statements', live('pg_stat_statements', 'string')],
  ['banana', live('32768', 'integer', '8kB')],
  ['1s', live('1', 'integer')],
])('%s may be another value than %o', (text, parameter) => {
  expect(sameValue(text, parameter)).toBe(false);
});

test('what is rendered is read back', () => {
  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}(\.[a-z]{1,5})?$/).filter((text) => text !== '__proto__');
  const value = fc.string().filter((text) => !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (parameters) => {
      expect(parseConf(renderConf(parameters))).toEqual(parameters);
    }),
  );
});

test('a file that was edited by hand', () => {
  expect(parseConf("# c\nWork_Mem 9MB # mine\n\nshared_buffers='1\\'2''3'\nport = 1\nport=2\nnonsense\n")).toEqual({
    work_mem: '9MB',
    shared_buffers: "1'2'3",
    port: '2',
  });
});

test('only the networks of the environment, and the superuser on the socket alone', () => {
  expect(hbaRules(renderHba(['10.77.0.0/24', 'fd00::/64']))).toEqual([
    'local all all peer',
    'local replication all peer',
    'host all postgres all reject',
    'host all all 127.0.0.1/32 scram-sha-256',
    'host all all ::1/128 scram-sha-256',
    'host all all 10.77.0.0/24 scram-sha-256',
    'host all all fd00::/64 scram-sha-256',
  ]);
  expect(hbaRules('host\tall   all 0.0.0.0/0 trust # oh\n\n')).toEqual(['host all all 0.0.0.0/0 trust']);
});
