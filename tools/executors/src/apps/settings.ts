import { z } from 'zod';
import { hostPart } from '../engine/names.ts';
import type { Secret } from '../engine/secret.ts';
import { secretReference } from '../engine/secret-reference.ts';
import { settings as service } from '../services/postgres/settings.ts';
import { argv, branch, folder, port, publicKey, repository, sha256, variables } from './fields.ts';
import { health } from './health-settings.ts';

const part = (name: string) =>
  z.strictObject({
    folder: folder.default(name).describe('Its folder in the repository, with package.json and package-lock.json.'),
    build: argv.optional().describe('What builds it after `npm ci`; left out: `npm run build --if-present`.'),
    start: argv.describe('What the unit starts, in its folder. It listens on the port in PORT.'),
  });

/** A Node that Debian does not have: an archive with `bin/node` and `lib/node_modules/npm`, as nodejs.org has them. */
const nodeArchive = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('Where this machine gets it from; the guest gets it from here.'),
  sha256,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'expected a version such as 22.21.1'),
});

/** An application on Node: a back end, and a front end where there is one. */
const nodeSettings = z
  .strictObject({
    version: z
      .union([z.int().min(18).max(99), z.literal('debian')])
      .default('debian')
      .describe('Major version of Node, or "debian" for the one that the guest’s Debian has.'),
    archive: nodeArchive.optional().describe('Where a major comes from that the guest’s Debian does not have.'),
    backend: part('backend'),
    frontend: part('frontend').optional(),
    migrate: argv.optional().describe('What brings the database to the release’s schema, in the back end’s folder, before the switch.'),
  })
  .refine(({ version, archive }) => archive === undefined || Number(archive.version.split('.')[0]) === version, {
    path: ['archive'],
    message: 'is for another major than "version"',
  });

/** An application on Python: a virtual environment for each release, from a file of requirements with hashes. */
const pythonSettings = z.strictObject({
  folder: folder.default('.').describe('Its folder in the repository.'),
  requirements: z
    .string()
    .regex(/^[\w@+.-]+(?:\/[\w@+.-]+)*$/, 'expected a file of the folder, such as requirements.txt')
    .default('requirements.txt')
    .describe('Pinned requirements, each with its hashes (`pip install --require-hashes`).'),
  build: argv
    .optional()
    .describe('What is to be done once the requirements are installed. Programs of the virtual environment come first.'),
  alembic: z.boolean().default(false).describe('Migrations by `alembic upgrade head`, before the switch; several heads are refused.'),
  migrate: argv.optional().describe('What migrates in place of Alembic.'),
  start: argv.describe('What the unit starts. It listens on the port in PORT. Programs of the virtual environment come first.'),
  frontend: z.strictObject({ folder, start: argv }).optional().describe('A second process, for the front end’s port.'),
});

const job = z
  .strictObject({
    name: z
      .string()
      .max(40)
      .regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, 'expected lower-case letters, digits and hyphens')
      .describe('The units are app-job-<name>.'),
    schedule: z
      .string()
      .regex(/^[\w*,./:~ +-]+$/, 'expected a calendar event of systemd.time(7), such as *-*-* 03:00:00')
      .optional()
      .describe('When, for a timer: a calendar event of systemd.time(7), such as "hourly" or "Mon *-*-* 03:00".'),
    cron: z
      .string()
      .regex(/^(?:[\d*,/-]+ +){4}[\d*,/a-zA-Z-]+$/, 'expected five fields of crontab(5), such as 0 3 * * *')
      .optional()
      .describe('When, for a line in /etc/cron.d in place of a timer: five fields of crontab(5).'),
    command: argv,
    timeoutSeconds: z.int().min(1).default(3600),
  })
  .refine(({ schedule, cron }) => (schedule === undefined) !== (cron === undefined), 'needs either "schedule" or "cron"');

const identifier = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, 'expected lower-case letters, digits and _, at most 63, such as pote');

/** The application's database: in the guest itself, or on a host of the data tier. Its URL is in DATABASE_URL. */
const postgres = z.strictObject({
  role: identifier,
  database: identifier,
  password: secretReference,
  host: z
    .union([z.ipv4(), z.hostname()])
    .optional()
    .describe('Where the data tier’s server is; left out: a server is installed in the guest, and listens to the guest alone.'),
  port: port.default(5432),
  version: z
    .union([z.int().min(15).max(99), z.literal('debian')])
    .default('debian')
    .describe('Major version of the guest’s own server, or "debian".'),
});

/** What the service that installs the guest's own server says of these settings. */
function databaseProblems(given: z.output<typeof postgres> | undefined) {
  if (given === undefined || given.host !== undefined) return [];
  const { host: _, ...own } = given;
  return service.safeParse(own).error?.issues ?? [];
}

/** What app.json says of an application, whatever guest it is in. Only `kind` and its own settings have no good default. */
export const applicationFields = {
  kind: z.enum(['node', 'python']),
  node: nodeSettings.optional(),
  python: pythonSettings.optional(),
  repository,
  pointers: z
    .enum(['refuse', 'keep'])
    .default('refuse')
    .describe('What becomes of a commit with content that is elsewhere: pointers of Git LFS, submodules.'),
  ports: z.strictObject({ backend: port.default(3001), frontend: port.default(3000) }).prefault({}),
  buildVars: variables.default({}).describe('Variables for building alone, such as npm_config_registry or PIP_INDEX_URL.'),
  health,
  releases: z.strictObject({ keep: z.int().min(2).max(100).default(5).describe('Good releases that are kept.') }).prefault({}),
  jobs: z
    .array(job)
    .default([])
    .refine((jobs) => new Set(jobs.map(({ name }) => name)).size === jobs.length, 'two jobs have the same name'),
  deployKey: secretReference.optional().describe('Private key that the guest fetches the repository with; needed over SSH.'),
  gitHostKeys: z.array(publicKey).default([]).describe('Host keys of the git server; no other is taken. Needed over SSH.'),
  authorizedKeys: z.array(publicKey).min(1).describe('Who may log in as appuser.'),
  sudo: z
    .enum(['units', 'full'])
    .default('units')
    .describe('What appuser may do as root: start, stop and restart the application’s units, or everything.'),
  unattendedUpgrades: z.boolean().default(true).describe('Security upgrades install themselves.'),
  journal: z
    .string()
    .regex(/^\d+[MG]$/, 'expected a size such as 200M')
    .default('200M')
    .describe('How much of the disk the journal may take.'),
  postgres: postgres.optional(),
} as const;

/** One application in one guest, ready to be set up: everything that is done inside the guest follows from this. */
export const appSettings = z
  .strictObject({
    ...applicationFields,
    name: hostPart,
    environment: hostPart,
    branch,
    envVars: variables.default({}),
  })
  .superRefine((app, context) => {
    const problem = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (app[app.kind] === undefined) problem(app.kind, `is missing: the kind is ${app.kind}`);
    const other = app.kind === 'node' ? 'python' : 'node';
    if (app[other] !== undefined) problem(other, `has no meaning: the kind is ${app.kind}`);
    if (app.ports.backend === app.ports.frontend) problem('ports', 'back end and front end have the same port');
    if (app.health.of === 'frontend' && (app.node ?? app.python)?.frontend === undefined)
      problem('health', 'is of the front end, but there is none');
    if (!app.repository.startsWith('https://')) {
      if (app.deployKey === undefined) problem('deployKey', 'is missing: the repository is fetched over SSH');
      if (app.gitHostKeys.length === 0) problem('gitHostKeys', 'are missing: the git server’s host keys, as in its .pub files');
    }
    for (const { path, message } of databaseProblems(app.postgres))
      context.addIssue({ code: 'custom', path: ['postgres', ...path], message });
    if (app.postgres !== undefined && app.envVars.DATABASE_URL !== undefined)
      problem('envVars', 'has DATABASE_URL, which "postgres" sets as well');
  });

/** As {@link appSettings} gives it out. */
export type AppSettings = z.output<typeof appSettings>;
export type NodeSettings = z.output<typeof nodeSettings>;
export type PythonSettings = z.output<typeof pythonSettings>;
export type Job = AppSettings['jobs'][number];
export type Variables = Readonly<Record<string, string | Secret>>;
