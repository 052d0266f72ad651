import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { connectAs, psql, psqlInEach } from './psql.ts';
import { OUR_OPTIONS } from './session.ts';

/** Parameters by name as a server of a major gets them: split at blanks that no backslash stands before (pg_split_opts in postinit.c). */
function given(version: number): Record<string, string> {
  const { stdout, stderr } = spawnSync('sh', ['-euc', `version=${version}\n${OUR_OPTIONS}\nprintf %s "$PGOPTIONS"`], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const words = stdout.split(/(?<!\\) /).map((word) => word.replaceAll(/\\(.)/g, '$1'));
  const pairs = words.flatMap((word, i) => (i % 2 === 0 ? [] : [word]));
  expect(words).toEqual(pairs.flatMap((pair) => ['-c', pair]));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

test('our sessions have no limit, write, run no code of others, and leave no statement in the log', () => {
  expect(given(15)).toMatchObject({
    statement_timeout: '0',
    default_transaction_read_only: 'off',
    default_transaction_isolation: 'read committed',
    session_preload_libraries: '',
    search_path: 'pg_catalog',
    log_statement: 'none',
    log_min_error_statement: 'panic',
  });
});

test('what an older server does not know it is not given', () => {
  expect(given(16)).not.toHaveProperty('transaction_timeout');
  expect(given(17)).toMatchObject({ statement_timeout: '0', transaction_timeout: '0', event_triggers: 'off' });
});

test('every session of ours has them; the application’s has none', () => {
  for (const { argv } of [psql('read', '', 1), psqlInEach('read', '', 1)]) expect(argv.join(' ')).toContain(OUR_OPTIONS);
  expect(connectAs({ user: 'veza', password: new Secret('pencil') }).reveal()).toMatch(/^\\setenv PGOPTIONS\n\\connect /);
});
