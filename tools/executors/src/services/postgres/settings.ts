import { z } from 'zod';
import { Secret } from '../../engine/secret.ts';
import { secretReference } from '../../engine/secret-reference.ts';
import { parameterName, parameterValue, useSetting } from '../parameters.ts';
import { isPlainPassword } from './scram.ts';

const identifier = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'expected lower-case letters, digits and _, at most 63, such as veza')
  .refine((name) => !/^(pg_.*|postgres|template[01]|public|none)$/.test(name), 'this name belongs to PostgreSQL');

const ELSEWHERE = 'it names another place for what nx-mooring looks after';
const INCLUDED = 'what another file says could not be compared or taken back';

/** Parameters that this service sets itself, or that would take the cluster out of its sight, each with what is to be said of it. */
const TAKEN: Readonly<Record<string, string>> = {
  listen_addresses: 'nx-mooring writes it itself; who may connect is said by "clients" in the environment',
  port: useSetting('port'),
  password_encryption: 'nx-mooring writes it itself: scram-sha-256',
  data_directory: ELSEWHERE,
  config_file: ELSEWHERE,
  hba_file: ELSEWHERE,
  ident_file: ELSEWHERE,
  external_pid_file: ELSEWHERE,
  unix_socket_directories: ELSEWHERE,
  include: INCLUDED,
  include_dir: INCLUDED,
  include_if_exists: INCLUDED,
};

const name = parameterName(
  /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/i,
  'expected a postgresql.conf parameter such as shared_buffers',
  (name) => (Object.hasOwn(TAKEN, name.toLowerCase()) ? TAKEN[name.toLowerCase()] : undefined),
);

const url = (protocols: string) =>
  z.string().regex(new RegExp(`^(${protocols})://[^\\s'"]+$`), `expected a URL (${protocols.replaceAll('|', ', ')})`);

/** Where packages come from that the image's Debian does not have. */
const apt = z.strictObject({
  url: url('https|http').default('https://apt.postgresql.org/pub/repos/apt').describe('The repository.'),
  suite: z
    .string()
    .regex(/^[a-z][a-z0-9./-]*$/, 'expected the name of a suite, such as bookworm-pgdg')
    .optional()
    .describe('Its suite; left out: the codename of the container’s Debian with -pgdg.'),
  component: z
    .string()
    .regex(/^[a-z][a-z0-9.-]*$/, 'expected the name of a component, such as main')
    .default('main'),
  keyUrl: url('https|http|file')
    .default('https://www.postgresql.org/media/keys/ACCC4CF8.asc')
    .describe('Where the container gets the signing key from (ASCII-armored). It is taken only if its fingerprint is the pinned one.'),
  fingerprint: z
    .string()
    .regex(/^[0-9A-F]{40}$/, 'expected 40 upper-case hex digits')
    .default('B97B0AFCAA1A47F044F244A07FCC7D46ACCC4CF8')
    .describe('Fingerprint of the signing key. apt is told to trust this key and no other for this repository.'),
});

/** `settings` of a container with `"service": "postgres"`. */
export const settings = z
  .strictObject({
    version: z
      .union([z.int().min(15).max(99), z.literal('debian')])
      .default(16)
      .describe('Major version, or "debian" for the one that the image’s Debian has. A cluster of another major is never touched.'),
    role: identifier.describe('The application’s login role. It owns the database and has no other privilege.'),
    database: identifier.describe('The application’s database, UTF-8.'),
    password: secretReference
      .refine((value) => !(value instanceof Secret) || isPlainPassword(value.reveal()), {
        message:
          'has characters that PostgreSQL’s clients disagree about (RFC 4013, SASLprep): use its Unicode NFKC form, without joiners and non-ASCII spaces',
      })
      .describe('The role’s password (SCRAM-SHA-256).'),
    port: z.int().min(1).max(65535).default(5432).describe('TCP port.'),
    parameters: z
      .record(name, parameterValue(/^[^\p{Cc}]*$/u, 'one line', ['on', 'off']))
      .refine((parameters) => new Set(Object.keys(parameters).map((name) => name.toLowerCase())).size === Object.keys(parameters).length, {
        message: 'has a name twice: PostgreSQL does not distinguish upper from lower case',
      })
      .prefault({})
      .describe('Further postgresql.conf parameters by name, such as "shared_buffers": "256MB".'),
    apt: apt.optional().describe('The repository of a version that the image’s Debian does not have; left out: PGDG, if it is needed.'),
  })
  .refine((value) => value.version !== 'debian' || value.apt === undefined, {
    path: ['apt'],
    message: 'has no meaning with "version": "debian"',
  });

export type PostgresSettings = Omit<z.output<typeof settings>, 'password'> & { readonly password: Secret };

/** The repository's settings as they are when the file leaves them out. */
export const defaultApt = apt.parse({});
