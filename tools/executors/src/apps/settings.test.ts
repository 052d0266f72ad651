import { describe, expect, it } from 'vitest';
import { baseSettings, settings } from '../../../../test/app-settings.ts';
import { caseSettings } from '../../../../test/cases.ts';
import { Secret } from '../engine/secret.ts';
import { databaseUrl } from './database.ts';
import { appSettings } from './settings.ts';

/** What is said of settings with these fields; an empty text when they are taken. */
function problems(kind: keyof typeof baseSettings, over: Readonly<Record<string, unknown>>): string {
  const { error } = appSettings.safeParse(caseSettings({ ...baseSettings[kind], ...over }));
  // What is wrong with a key of a record is one level below.
  return (error?.issues ?? [])
    .flatMap((issue) => ('issues' in issue ? issue.issues : [issue]).map(({ message }) => `${issue.path.join('.')}: ${message}`))
    .join('\n');
}
const node = (over: object) => ({ node: { ...baseSettings.node.node, ...over } });

describe('what is refused, and why', () => {
  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ['a repository on the disk', { repository: '/srv/git/x' }, /expected a git URL/],
    ['one that is an option of git', { repository: '--upload-pack=id' }, /expected a git URL/],
    ['one with a quote', { repository: "git@host:a'b" }, /expected a git URL/],
    ['another protocol', { repository: 'ext::sh -c id' }, /expected a git URL/],
    ['a branch that is an option', { branch: '-x' }, /expected the name of a branch/],
    ['a branch with ..', { branch: 'a..b' }, /expected the name of a branch/],
    ['a branch with a blank', { branch: 'a b' }, /expected the name of a branch/],
    ['a port beyond 65535', { ports: { backend: 65536 } }, /<=65535/],
    ['one port for both', { ports: { backend: 3000 } }, /the same port/],
    ['a variable with a hyphen', { envVars: { 'A-B': 'x' } }, /expected a name of letters/],
    ['a variable that the units set', { envVars: { PORT: '1' } }, /the units set this one themselves/],
    ['a variable with a carriage return', { envVars: { A: 'x\r\n' } }, /control characters/],
    ['a number for a variable', { envVars: { A: 1 } }, /expected a text or a secret reference/],
    ['an empty start command', node({ backend: { start: [] } }), /start/],
    ['a start command as one text', node({ backend: { start: 'node server.js' } }), /start/],
    ['a newline in an argument', node({ backend: { start: ['node', 'a\nExecStartPre=/bin/sh'] } }), /without control characters/],
    ['a folder above the repository', node({ backend: { folder: '../etc', start: ['node'] } }), /expected a folder inside the repository/],
    ['an absolute folder', node({ backend: { folder: '/etc', start: ['node'] } }), /expected a folder inside the repository/],
    [
      'an archive of another major',
      node({ version: 22, archive: { url: 'https://x.example/n', sha256: 'a'.repeat(64), version: '20.1.0' } }),
      /another major/,
    ],
    ['an archive without a hash', node({ version: 22, archive: { url: 'https://x.example/n', version: '22.1.0' } }), /sha256/],
    ['no settings of its kind', { node: undefined }, /is missing: the kind is node/],
    ['settings of the other kind', { python: baseSettings.python.python }, /has no meaning: the kind is node/],
    ['no deploy key over SSH', { deployKey: undefined }, /the repository is fetched over SSH/],
    ['no host key over SSH', { gitHostKeys: [] }, /host keys, as in its .pub files/],
    [
      'a key with an option before it',
      { authorizedKeys: [`command="id" ${baseSettings.node.authorizedKeys[0]}`] },
      /expected an OpenSSH public key/,
    ],
    [
      'two keys in one text',
      { authorizedKeys: [`${baseSettings.node.authorizedKeys[0]}\n${baseSettings.node.authorizedKeys[0]}`] },
      /expected an OpenSSH public key/,
    ],
    ['nobody who may log in', { authorizedKeys: [] }, /authorizedKeys/],
    ['a health path without a slash', { health: { path: 'health' } }, /expected a path such as/],
    ['a health path with a quote', { health: { path: '/a"b' } }, /expected a path such as/],
    ['keeping one release', { releases: { keep: 1 } }, /keep/],
    ['a job without a time', { jobs: [{ name: 'a', command: ['true'] }] }, /either "schedule" or "cron"/],
    [
      'a job with two times',
      { jobs: [{ name: 'a', command: ['true'], schedule: 'daily', cron: '0 3 * * *' }] },
      /either "schedule" or "cron"/,
    ],
    ['a job whose time is another setting', { jobs: [{ name: 'a', command: ['true'], schedule: 'daily\nUnit=x' }] }, /calendar event/],
    ['a job with a command in its cron', { jobs: [{ name: 'a', command: ['true'], cron: '* * * * * root id' }] }, /five fields/],
    ['two jobs of one name', { jobs: [1, 2].map(() => ({ name: 'a', command: ['true'], schedule: 'daily' })) }, /the same name/],
    ['a password in clear', { postgres: { role: 'a', database: 'a', password: 'x' } }, /a value in clear is not taken/],
    [
      'the URL of the database twice',
      { postgres: { role: 'a', database: 'a', password: { secret: 'X' } }, envVars: { DATABASE_URL: 'x' } },
      /which "postgres" sets as well/,
    ],
    [
      'a database that is PostgreSQL’s own',
      { postgres: { role: 'a', database: 'template1', password: { secret: 'X' } } },
      /belongs to PostgreSQL/,
    ],
    ['a field that nobody knows', { prots: {} }, /Unrecognized key/],
  ])('%s', (_, over, said) => {
    expect(problems('node', over)).toMatch(said);
  });
});

it('the base settings are taken, with their defaults', () => {
  expect(problems('node', {})).toBe('');
  expect(problems('python', {})).toBe('');
  expect(settings('node')).toMatchObject({
    ports: { backend: 3001, frontend: 3000 },
    sudo: 'units',
    health: { path: '/health' },
    releases: { keep: 5 },
  });
});

it('the URL of a database has every character of its password', () => {
  const password = 'p\'a:s/s @%w"örd?#()*!';
  const url = databaseUrl({
    role: 'pote',
    database: 'pote',
    password: new Secret(password),
    host: undefined,
    port: 5432,
    version: 'debian',
  });
  expect(String(url)).toBe('postgresql://pote:(secret)@127.0.0.1:5432/pote');
  const parsed = new URL(url.reveal());
  expect(decodeURIComponent(parsed.password)).toBe(password);
  expect([parsed.username, parsed.hostname, parsed.port, parsed.pathname]).toEqual(['pote', '127.0.0.1', '5432', '/pote']);
});
