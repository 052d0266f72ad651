import { describe, expect, test } from 'vitest';
import { MooringError, UnhealthyError } from '../../engine/errors.ts';
import { Secret } from '../../engine/secret.ts';
import { config } from './config.ts';
import { clusterFiles } from './files.ts';
import { healthAnswer } from './health-sql.ts';
import { objects } from './objects.ts';
import { packages } from './packages.ts';
import { answerLine, configAnswer, listens, noServer } from './server.ts';
import service from './service.ts';

const settings = service.settings.parse({ role: 'veza', database: 'veza', password: new Secret('pencil') });
const desired = { settings, context: { environment: 'local', instance: 'i', clientNetworks: ['10.77.0.0/24'], artifacts: {} } };
const verifier =
  'SCRAM-SHA-256$4096:k1Ow3OoaNLxSyQB66yEFXw==$jDpf81VGh7PIIeF++aXRSdCWRR8d1fIySBteLlP9YDk=:GT6ygkfLkP0vWdXtiWrZgAkkV6/J9KCE7yDDiOFbxiU=';

function result(code: number, stdout: string, stderr = '') {
  return { command: clusterFiles.command, code, stdout, stderr };
}

describe('the server’s answer', () => {
  const objectsLine = JSON.stringify({
    role: {
      verifier,
      validUntil: null,
      expired: false,
      attributes: {
        login: true,
        superuser: false,
        createdb: false,
        createrole: false,
        replication: false,
        bypassrls: false,
        expires: false,
        limited: false,
      },
      connectionLimit: -1,
    },
    database: null,
    others: [],
    salt: 'lOV8mNctTbeASk7L8jiCXQ==',
  });

  test('all stages ask in the same words, so that one psql answers them', () => {
    const { command } = service.health.inside(desired);
    const words = ({ argv, stdin }: typeof command) => [argv, (stdin as Secret).reveal()];
    for (const stage of [config, objects]) expect(words(stage.facts(desired).server.command)).toEqual(words(command));
    expect(JSON.stringify(command)).not.toContain('pencil');
  });

  test('the verifier becomes a yes or no, and is no fact', () => {
    const fact = objects.facts(desired).server;
    const parsed = fact.parse(result(3, `{}\n${objectsLine}\n`));
    expect(parsed.role?.passwordMatches).toBe(true);
    expect(JSON.stringify(parsed)).not.toContain('SCRAM');
  });

  test('no error quotes the verifier', () => {
    const fact = objects.facts(desired).server;
    for (const stdout of [`${objectsLine}\n`, `{}\n${objectsLine.replace('"salt"', '"pepper"')}\n`, `{}\n${objectsLine}x\n`]) {
      expect(() => fact.parse(result(3, stdout))).toThrow(MooringError);
      try {
        fact.parse(result(3, stdout));
      } catch (error) {
        expect(JSON.stringify([error, (error as MooringError).message, (error as MooringError).detail])).not.toContain('k1Ow3OoaNL');
      }
    }
  });

  test('without an answer it says in what state the server is', () => {
    const socket = 'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed:';
    expect(noServer(result(69, '', 'the server is not running\n'))?.state).toBe('down');
    expect(noServer(result(2, '', `${socket} No such file or directory\n`))?.state).toBe('down');
    expect(noServer(result(2, '', `${socket} Connection refused\n`))?.state).toBe('down');
    expect(noServer(result(2, '', `${socket} FATAL:  the database system is starting up\n`))?.state).toBe('starting');
    expect(noServer(result(2, '', `${socket} FATAL:  no pg_hba.conf entry for host "[local]", user "postgres"\n`))?.state).toBe('refused');
    expect(noServer(result(2, '', `${socket} FATAL:  Peer authentication failed for user "postgres"\n`))?.state).toBe('refused');
    expect(noServer(result(3, '{}\n', '\\connect: …'))).toBeUndefined();
    expect(noServer(result(2, '', `${socket} FATAL:  sorry, too many clients already\n`))?.state).toBe('full');
    const library = 'FATAL:  could not access file "nowhere": No such file or directory';
    expect(() => noServer(result(2, '', `${socket} ${library}\n`))).toThrow(MooringError);
    expect(() => noServer(result(124, '', ''))).toThrow(MooringError);
  });

  test('only a refused connection says that nobody listens', () => {
    const failed = '\\connect: connection to server at "127.0.0.1", port 5432 failed:';
    expect(listens(result(3, '{}\n', `${failed} Connection refused\n`))).toBe(false);
    expect(listens(result(3, '{}\n', `${failed} timeout expired\n`))).toBe(true);
    expect(listens(result(0, '{}\n'))).toBe(true);
  });

  test('unknown output stops', () => {
    expect(() => answerLine(result(0, '{"encoding":"UTF8"}\n'), 'config', configAnswer)).toThrow('not known');
    expect(() => answerLine(result(0, 'hello\n'), 'config', configAnswer)).toThrow('not known');
  });

  test('an unhealthy role: the server’s reason is the message', () => {
    const stderr =
      '\\connect: connection to server at "127.0.0.1", port 5432 failed: FATAL:  password authentication failed for user "veza"\n';
    expect(() => answerLine(result(3, '{}\n{}\n', stderr), 'health', healthAnswer)).toThrow(
      'role: password authentication failed for user "veza"',
    );
  });

  test.each([
    'FATAL:  sorry, too many clients already',
    'FATAL:  remaining connection slots are reserved for non-replication superuser connections',
    'FATAL:  too many connections for role "veza"',
    'FATAL:  role "veza" is not permitted to log in',
    'FATAL:  permission denied for database "veza"',
    'FATAL:  could not access file "nowhere": No such file or directory',
    'FATAL:  terminating connection due to idle-session timeout',
    'ERROR:  canceling statement due to statement timeout',
    'ERROR:  out of memory',
    'ERROR:  could not extend file "base/5/1249": No space left on device',
  ])('the application cannot do its work: %s', (words) => {
    const noise = 'DEBUG:  a library failed, and that is no error\n';
    const asked = () => answerLine(result(3, '{}\n{}\n', `${noise}\\connect: ${words}\n`), 'health', healthAnswer);
    expect(asked).toThrow(UnhealthyError);
    expect(asked).toThrow(words.replace(/^[A-Z]+: +/, "no SELECT as the application's role: "));
  });

  test.each([
    'FATAL:  password authentication failed for user "veza"',
    'FATAL:  database "veza" does not exist',
    'FATAL:  role "veza" does not exist',
    'FATAL:  no pg_hba.conf entry for host "127.0.0.1", user "veza", database "veza", no encryption',
    'FATAL:  the database system is shutting down',
    'FATAL:  terminating connection due to administrator command',
    'ERROR:  column "datcollversion" does not exist',
    'connection to server at "127.0.0.1", port 5432 failed: timeout expired',
  ])('what the server was not given yet, or has nothing to do with it, is no such word: %s', (words) => {
    const asked = () => answerLine(result(3, '{}\n{}\n', `\\connect: ${words}\n`), 'health', healthAnswer);
    expect(asked).toThrow(MooringError);
    expect(asked).not.toThrow(UnhealthyError);
  });

  test('an expired role: the server says only that the password is wrong', () => {
    const expired = objectsLine.replace('null,"expired":false', '"2020-01-01 00:00:00+00","expired":true');
    const { inside } = service.health;
    expect(() => inside(desired).parse(result(3, `{}\n${expired}\n`, 'FATAL:  password authentication failed for user "veza"\n'))).toThrow(
      'role veza has expired (VALID UNTIL 2020-01-01 00:00:00+00)',
    );
  });
});

describe('the files of the cluster', () => {
  const root = '/etc/postgresql/15/main';
  const missing = `grep: ${root}/conf.d/90-mooring.conf: No such file or directory\n`;

  test('as they are', () => {
    const access = `access - 640 postgres:postgres ${root}/pg_hba.conf\naccess - 600 root:root ${root}/start.conf\n`;
    const stdout = `${access}${root}/pg_hba.conf:local all all peer\n${root}/pg_hba.conf:# a:b\n${root}/start.conf:# c\n${root}/start.conf:auto\n`;
    const unread = `${missing}stat: cannot statx '${root}/conf.d/90-mooring.conf': No such file or directory\n`;
    expect(clusterFiles.parse(result(2, stdout, unread))).toEqual({
      major: 15,
      conf: null,
      hba: 'local all all peer\n# a:b\n',
      start: '# c\nauto\n',
      enabled: false,
      access: { hba: '640 postgres:postgres', start: '600 root:root' },
    });
  });

  test('a file that cannot be read is not an absent one', () => {
    expect(() => clusterFiles.parse(result(2, `${root}/start.conf:auto\n`, `grep: ${root}/pg_hba.conf: Permission denied\n`))).toThrow(
      'could not be read',
    );
  });

  test('no cluster', () => {
    expect(() => clusterFiles.parse(result(2, '', 'grep: /etc/postgresql/*/main/start.conf: No such file or directory\n'))).toThrow(
      'no cluster',
    );
  });
});

describe('the image', () => {
  const { image } = packages.facts(desired);

  test('clusters, source and key', () => {
    const stdout =
      'codename bookworm\ncluster /etc/postgresql/15/main/postgresql.conf\ncluster /var/lib/postgresql/13/old/PG_VERSION\nsource\n> Types: deb\n> URIs: https://example.org\nkey\n';
    expect(image.parse(result(0, stdout))).toEqual({
      codename: 'bookworm',
      clusters: [
        { version: '15', name: 'main', part: 'configuration' },
        { version: '13', name: 'old', part: 'data' },
      ],
      source: 'Types: deb\nURIs: https://example.org\n',
      key: true,
    });
    expect(image.parse(result(0, 'codename trixie\n'))).toEqual({ codename: 'trixie', clusters: [], source: null, key: false });
  });

  test('output that is not known stops', () => {
    expect(() => image.parse(result(0, 'codename bookworm\nhello\n'))).toThrow('unexpected line');
    expect(() => image.parse(result(0, ''))).toThrow();
  });
});
