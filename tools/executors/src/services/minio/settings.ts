import { z } from 'zod';
import { Secret } from '../../engine/secret.ts';
import { secretReference } from '../../engine/secret-reference.ts';

/**
 * The last commit of the source-only project (2026-02-12), by its pseudo-version. It comes after the last tagged release
 * (RELEASE.2025-10-15T17-29-55Z, with the fix of CVE-2025-62506, which the last binary of 2025-09-07 has not); the module
 * proxy serves this version and refuses that tag (docs/decisions). MinIO's own way to have it is `go install`
 * (README.md of minio/minio, "Source-Only Distribution").
 */
const RELEASE = 'v0.0.0-20260212201848-7aac2a2c5b7c';

/**
 * An access key stands in request headers (SigV4's Credential, split at `/`, `,` and blanks), so MinIO itself cannot
 * take just any text: at least 3 bytes (internal/auth/credentials.go), no `=` and no `,` (`reservedChars`).
 */
const accessKey = secretReference.refine(
  (value) => !(value instanceof Secret) || /^[\w.@+:-]{3,128}$/.test(value.reveal()),
  'MinIO takes 3 to 128 letters, digits and . _ @ + : - as an access key',
);

/** `IsSecretKeyValid` (internal/auth/credentials.go): 8 bytes or more, no upper limit. */
const longEnough = (value: Secret) => !(value instanceof Secret) || Buffer.byteLength(value.reveal()) >= 8;

const TOO_SHORT = 'MinIO refuses a secret of less than 8 bytes';

/**
 * The root credentials go through MinIO's environment lookup (minio/pkg env.LookupEnv, cmd/common-main.go readFromSecret):
 * it cuts white space off at both ends, and takes a value that begins with `env` for an address to fetch the value from.
 */
const survivesLookup = (value: Secret) => !(value instanceof Secret) || !/^env|^[\s\u0085]|[\s\u0085]$|\0/.test(value.reveal());

const LOOKUP = 'MinIO cannot take a root credential that begins with "env", begins or ends with white space, or holds a NUL';

/** Folders of the system (hier(7)): MinIO would own them, and let nobody else in. A disk of its own may be mounted at /srv, /mnt or /var/minio. */
const OF_SYSTEM = new RegExp(
  [
    '^/(bin|boot|dev|etc|lib|lib32|lib64|libx32|proc|root|run|sbin|sys|tmp|usr)(/|$)',
    '^/var/(lock|run|tmp)(/|$)',
    '^/(home|opt|var|var/(backups|cache|lib|local|log|mail|opt|spool))$',
  ].join('|'),
);

/** `settings` of a container with `"service": "minio"`. */
export const settings = z
  .strictObject({
    rootUser: accessKey.refine(survivesLookup, LOOKUP).describe('Name of the administrator (MINIO_ROOT_USER). Applications do not use it.'),
    rootPassword: secretReference
      .refine(longEnough, TOO_SHORT)
      .refine(survivesLookup, LOOKUP)
      .describe('Password of the administrator (MINIO_ROOT_PASSWORD): 8 bytes or more.'),
    accessKey: accessKey.describe("The application's access key: a user that may use the objects of the bucket and nothing else."),
    secretKey: secretReference.refine(longEnough, TOO_SHORT).describe("The application's secret key: 8 bytes or more."),
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'expected 3 to 63 lower-case letters, digits and hyphens')
      .describe('The bucket; made if it is missing, never deleted.'),
    quota: z
      .string()
      .regex(
        /^[1-9]\d{0,6}(kb|mb|gb|tb)$/,
        'expected a size such as 500gb: a whole number, 1 or more, with kb, mb, gb or tb in small letters',
      )
      .optional()
      .describe(
        'The most that the bucket may hold: a number with kb, mb, gb or tb (powers of 1024). Left out: a quota that was set otherwise stays.',
      ),
    region: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected a region such as us-east-1')
      .default('us-east-1')
      .describe('Region that clients sign their requests for.'),
    port: z.int().min(1024).max(65535).default(9000).describe('TCP port of the S3 API.'),
    console: z.boolean().default(false).describe('Whether the web console is served, on `consolePort`.'),
    consolePort: z.int().min(1024).max(65535).default(9001).describe('TCP port of the web console.'),
    dataDir: z
      .string()
      .regex(/^(\/[\w-][\w.-]*)+$/, 'expected an absolute path of letters, digits, . _ and -')
      .refine(
        (folder) => !OF_SYSTEM.test(folder),
        'it is a folder of the system, which MinIO must not own: expected one such as /var/lib/minio or /srv/minio',
      )
      .default('/var/lib/minio')
      .describe('Where the objects are: a folder for nothing else. Cannot be changed once there are some.'),
    binary: z
      .strictObject({
        version: z
          .string()
          .regex(/^[\w.+-]{1,100}$/, 'expected a release such as RELEASE.2025-10-15T17-29-55Z or a pseudo-version of Go')
          .default(RELEASE)
          .describe('Release of github.com/minio/minio (a tag or a pseudo-version of Go).'),
        architecture: z.enum(['amd64', 'arm64']).default('amd64').describe('Of the container.'),
        url: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe('Where the binary is downloaded from; without it, it is built with Go.'),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits')
          .optional()
          .describe('What the downloaded binary must be.'),
      })
      .refine(({ url, sha256 }) => (url === undefined) === (sha256 === undefined), 'url and sha256 go together')
      .prefault({})
      .describe('The server program.'),
  })
  .refine(
    ({ rootUser, accessKey }) => !(rootUser instanceof Secret && accessKey instanceof Secret) || rootUser.reveal() !== accessKey.reveal(),
    {
      path: ['accessKey'],
      message: 'must be another than rootUser: the application must not be the administrator',
    },
  )
  .refine(({ port, console, consolePort }) => !console || port !== consolePort, {
    path: ['consolePort'],
    message: 'must be another than port, also where it is left out (9001)',
  });

/** A size of the settings in bytes. */
export function quotaBytes(size: string): number {
  const [, count = '', unit = ''] = /^(\d+)(kb|mb|gb|tb)$/.exec(size) ?? [];
  return Number(count) * 1024 ** (['kb', 'mb', 'gb', 'tb'].indexOf(unit) + 1);
}

/** The settings as the planners see them. */
export type MinioSettings = z.output<typeof settings>;
