import { describe, expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { artifacts, versionVariables } from './binaries.ts';
import { settings } from './settings.ts';

const reference = (secret: string) => ({ secret });
const references = {
  rootUser: reference('MINIO_ROOT_USER'),
  rootPassword: reference('MINIO_ROOT_PASSWORD'),
  accessKey: reference('MINIO_ACCESS_KEY'),
  secretKey: reference('MINIO_SECRET_KEY'),
  bucket: 'veza-local',
};
const secrets = {
  ...references,
  rootUser: new Secret('root-of-all'),
  rootPassword: new Secret('long enough'),
  accessKey: new Secret('veza'),
  secretKey: new Secret('long enough'),
};
const problems = (given: object) =>
  settings.safeParse(given).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('settings', () => {
  it.each(['/etc', '/etc/minio', '/usr/local/minio', '/var', '/var/lib', '/var/tmp/minio', '/home', '/opt', '/root/data', '/run/minio'])(
    'refuse dataDir %s: nobody else could use that folder any more',
    (dataDir) => {
      expect(problems({ ...references, dataDir })).toEqual([expect.stringMatching(/^dataDir: it is a folder of the system/)]);
    },
  );

  it.each([
    '/var/lib/minio',
    '/srv/minio',
    '/data',
    '/srv',
    '/mnt',
    '/var/minio',
    '/mnt/objects',
    '/home/minio',
    '/opt/minio/data',
    '/library',
  ])('take dataDir %s', (dataDir) => {
    expect(problems({ ...references, dataDir })).toEqual([]);
  });

  it.each(['10', '0gb', '1.5gb', '10GiB', '1pb', '-1gb'])('say what a quota is, of %s', (quota) => {
    expect(problems({ ...references, quota })).toEqual([
      'quota: expected a size such as 500gb: a whole number, 1 or more, with kb, mb, gb or tb in small letters',
    ]);
  });

  it('take references, and secrets in their place', () => {
    expect(problems(references)).toEqual([]);
    expect(problems(secrets)).toEqual([]);
  });

  it.each([
    ['quotes', `a"b'c\`d\\e`],
    ['a newline', 'line one\nline two'],
    ['a command substitution', '$(reboot)`id`'],
    ['a variable', '$HOME${PATH}%n'],
    ['500 characters', 'k'.repeat(500)],
    ['non-ASCII', 'pässwörd-密码-🔑'],
  ])('take a secret with %s', (_, value) => {
    expect(problems({ ...secrets, rootPassword: new Secret(value), secretKey: new Secret(value) })).toEqual([]);
  });

  it.each([
    ['rootPassword', 'seven77'],
    ['secretKey', 'short'],
    ['rootPassword', ' begins with a blank'],
    ['rootPassword', 'ends with a newline\n'],
    ['rootPassword', 'environment'],
    ['rootUser', 'env-root'],
    ['rootUser', 'ab'],
    ['accessKey', 'with blank'],
    ['accessKey', 'with"quote'],
    ['accessKey', 'with,comma'],
    ['accessKey', 'two\nlines'],
    ['accessKey', 'schlüssel'],
    ['accessKey', 'k'.repeat(500)],
    ['accessKey', 'root-of-all'],
  ])('refuse %s %j, which MinIO cannot take, by name and without the value', (field, value) => {
    const [problem, ...more] = problems({ ...secrets, [field]: new Secret(value) });
    expect(more).toEqual([]);
    expect(problem).toMatch(new RegExp(`^${field}: .*(MinIO|rootUser)`));
    expect(problem).not.toContain(value);
  });

  it.each([
    ['bucket', 'veza; drop'],
    ['bucket', 'Veza'],
    ['region', 'eu west'],
    ['port', 80],
    ['dataDir', '/var/lib/../etc $x'],
    ['dataDir', 'relative'],
    ['dataDir', '/var/lib/../etc'],
    ['unknown', true],
    ['secretKey', 'a value in clear'],
    ['binary', { url: 'https://files.example/minio' }],
    ['binary', { url: 'file:///etc/passwd', sha256: '0'.repeat(64) }],
    ['binary', { version: 'RELEASE; rm' }],
  ])('refuse %s %j', (field, value) => {
    expect(problems({ ...references, [field]: value })).toHaveLength(1);
  });
});

describe('the binary', () => {
  it('is built from the pinned release, which it then tells', () => {
    expect(artifacts(settings.parse(secrets))).toEqual({
      minio: {
        kind: 'go',
        module: 'github.com/minio/minio',
        version: 'v0.0.0-20260212201848-7aac2a2c5b7c',
        arch: 'amd64',
        variables: {
          'github.com/minio/minio/cmd.Version': '2026-02-12T20:18:48Z',
          'github.com/minio/minio/cmd.ReleaseTag': 'DEVELOPMENT.2026-02-12T20-18-48Z',
          'github.com/minio/minio/cmd.CopyrightYear': '2026',
        },
      },
    });
  });

  it('is downloaded when a URL and its sha256 are given', () => {
    const binary = { version: '1', url: 'https://files.example/minio', sha256: 'ab'.repeat(32) };
    expect(artifacts(settings.parse({ ...secrets, binary }))).toEqual({ minio: { kind: 'url', ...binary } });
  });

  it('tells the time of a pseudo-version, and nothing for a version without one', () => {
    expect(versionVariables('v0.0.0-20260212201848-7aac2a2c5b7c')['github.com/minio/minio/cmd.ReleaseTag']).toBe(
      'DEVELOPMENT.2026-02-12T20-18-48Z',
    );
    expect(versionVariables('v1.2.3')).toEqual({});
  });
});
