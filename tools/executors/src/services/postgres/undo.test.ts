import { expect, test } from 'vitest';
import type { Change } from '../../engine/change.ts';
import { reveal, Secret } from '../../engine/secret.ts';
import { config } from './config.ts';
import type { ClusterFiles } from './files.ts';
import { objects } from './objects.ts';
import service from './service.ts';

/** What goes in on stdin to take changes back; that the commands are the right ones is in cases/*.json. */

const settings = service.settings.parse({ role: 'veza', database: 'veza', password: new Secret('pencil') });
const desired = { settings, context: { environment: 'local', instance: 'i', clientNetworks: ['10.77.0.0/24'], artifacts: {} } };
const stdins = (changes: readonly Change[]) => changes.flatMap(({ undo = [] }) => undo.map(({ stdin }) => stdin && reveal(stdin)));
/** The same of what is done in the end, once the server runs with its former files. */
const lastly = (changes: readonly Change[]) =>
  changes.flatMap(({ afterUndo = [] }) => afterUndo.map(({ stdin }) => stdin && reveal(stdin)));

const attributes = {
  login: false,
  superuser: true,
  createdb: false,
  createrole: false,
  replication: false,
  bypassrls: false,
  expires: true,
  limited: true,
};
const database = { owner: 'veza', encoding: 'UTF8', connectionLimit: -1, ownerHas: 2, roleHas: 2 };
const others: never[] = [];
const salt = 'lOV8mNctTbeASk7L8jiCXQ==';

test('a role: what was changed of it, with its former verifier, which nothing shows', () => {
  const validUntil = '2020-01-01 00:00:00+00';
  const role = { passwordMatches: false, verifier: new Secret('SCRAM-SHA-256$former'), validUntil, attributes, connectionLimit: 2 };
  const limited = { ...database, owner: 'other', connectionLimit: 0 };
  const changes = objects.plan({ server: { role, database: limited, others, salt } }, desired);
  expect(stdins(changes)).toEqual([]);
  expect(lastly(changes)).toEqual([
    `ALTER ROLE "veza" NOLOGIN SUPERUSER VALID UNTIL '2020-01-01 00:00:00+00' CONNECTION LIMIT 2 PASSWORD 'SCRAM-SHA-256$former';\n`,
    'ALTER DATABASE "veza" OWNER TO "other";\n',
    'ALTER DATABASE "veza" CONNECTION LIMIT 0;\n',
  ]);
  expect(JSON.stringify(changes)).not.toContain('SCRAM-SHA-256$former');
});

test('a role without a password has none again', () => {
  const role = {
    passwordMatches: false,
    verifier: null,
    validUntil: null,
    attributes: { ...attributes, login: true, superuser: false, expires: false, limited: false },
    connectionLimit: -1,
  };
  expect(lastly(objects.plan({ server: { role, database, others, salt } }, desired))).toEqual(['ALTER ROLE "veza" PASSWORD NULL;\n']);
});

test('a role or database that was made stays, and keeps nothing before it from going back', () => {
  const changes = objects.plan({ server: { role: null, database: null, others, salt } }, desired);
  expect(changes.map(({ resource, undo }) => [resource, undo])).toEqual([
    ['role veza', []],
    ['database veza', []],
  ]);
});

test('the former files, with their mode and owner; and what ALTER SYSTEM had set', () => {
  const files: ClusterFiles = {
    major: 15,
    conf: "work_mem = '9MB'\n",
    hba: null,
    start: '# mine\nmanual\n',
    enabled: true,
    access: { conf: '600 postgres:postgres', start: '640 root:root' },
  };
  const overridden = [{ name: 'port', value: "5'4", file: '/var/lib/postgresql/15/main/postgresql.auto.conf', line: 3 }];
  const running = { parameters: {}, overridden, errors: [], hbaErrors: [], included: true, stale: false, encoding: 'UTF8' };
  const server = { state: 'up', listening: true, ...running } as const;
  const changes = config.plan({ files, server, trial: { state: 'taken', said: '' } }, desired);
  expect(stdins(changes)).toEqual(["work_mem = '9MB'\n", undefined, '# mine\nmanual\n', undefined, "port = '5''4'\n"]);
  const commands = changes.flatMap(({ undo = [] }) => undo.map(({ argv }) => argv.slice(argv[0] === 'sh' ? 4 : 0)));
  expect(commands).toEqual([
    ['/etc/postgresql/15/main/conf.d/90-mooring.conf', '600', 'postgres:postgres'],
    ['rm', '-f', '/etc/postgresql/15/main/pg_hba.conf', '/etc/postgresql/15/main/pg_hba.conf.mooring-new'],
    ['/etc/postgresql/15/main/start.conf', '640', 'root:root'],
    ['systemctl', 'daemon-reload'],
    ['/var/lib/postgresql/15/main/postgresql.auto.conf'],
  ]);
});

test('after a port is taken back, the server is waited for on its former one', () => {
  const moved = { ...desired, settings: { ...settings, port: 5433 } };
  const parameters = { port: { value: '5432', unit: null, type: 'integer', restart: true, pending: false } };
  const running = { parameters, overridden: [], errors: [], hbaErrors: [], included: true, stale: false, encoding: 'UTF8' };
  const files: ClusterFiles = { major: 15, conf: "port = '5432'\n", hba: null, start: 'auto\n', enabled: true, access: {} };
  const server = { state: 'up', listening: false, ...running } as const;
  const changes = config.plan({ files, server, trial: { state: 'taken', said: '' } }, moved);
  const [back] = changes.flatMap(({ afterUndo = [] }) => afterUndo);
  expect(back?.argv).toContain('5432');
  expect(back?.argv).not.toContain('5433');
});
