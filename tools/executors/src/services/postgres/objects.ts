import type { z } from 'zod';
import { type Change, type Left, leaving } from '../../engine/change.ts';
import type { Command } from '../../engine/command.ts';
import { SafetyError } from '../../engine/errors.ts';
import { joinSecret, Secret } from '../../engine/secret.ts';
import { defineStage } from '../../engine/service.ts';
import { identifier, literal, psql } from './psql.ts';
import { scramVerifier, verifierMatches } from './scram.ts';
import { answerLine, askServer, objectsAnswer } from './server.ts';
import type { PostgresSettings } from './settings.ts';

type Answer = z.infer<typeof objectsAnswer>;
type Attributes = NonNullable<Answer['role']>['attributes'];

export type ObjectsFacts = {
  readonly role: {
    readonly passwordMatches: boolean;
    /** As secret as the password: who has it can try passwords at leisure. Nothing when the role has no password. */
    readonly verifier: Secret | null;
    readonly validUntil: string | null;
    readonly attributes: Attributes;
    readonly connectionLimit: number;
  } | null;
  readonly database: Answer['database'];
  readonly others: Answer['others'];
  /** For a new verifier. The server draws it: a salt goes to everyone who begins to log in, so it must not be derived from the password. */
  readonly salt: string;
};

/** The application's role and its database. */
export const objects = defineStage<PostgresSettings, { server: ObjectsFacts }>({
  name: 'objects',
  facts: (desired) => ({
    server: {
      name: 'role and database',
      command: askServer(desired),
      parse(result) {
        const { role, ...rest } = answerLine(result, 'objects', objectsAnswer);
        return {
          role: role && {
            passwordMatches: verifierMatches(role.verifier, desired.settings.password),
            verifier: role.verifier === null ? null : new Secret(role.verifier),
            validUntil: role.validUntil,
            attributes: role.attributes,
            connectionLimit: role.connectionLimit,
          },
          ...rest,
        };
      },
    },
  }),
  plan: ({ server }, { settings }) => [...planRole(server, settings), ...planDatabase(server, settings)],
});

/** How each attribute is set to what it must be (CREATE ROLE). The role owns its database and needs nothing else. */
const ATTRIBUTES: { readonly [name in keyof Attributes]: { readonly want: boolean; readonly sql: string } } = {
  login: { want: true, sql: 'LOGIN' },
  superuser: { want: false, sql: 'NOSUPERUSER' },
  createdb: { want: false, sql: 'NOCREATEDB' },
  createrole: { want: false, sql: 'NOCREATEROLE' },
  replication: { want: false, sql: 'NOREPLICATION' },
  bypassrls: { want: false, sql: 'NOBYPASSRLS' },
  expires: { want: false, sql: "VALID UNTIL 'infinity'" },
  limited: { want: false, sql: 'CONNECTION LIMIT -1' },
};

function planRole({ role, salt }: ObjectsFacts, settings: PostgresSettings): Change[] {
  const resource = `role ${settings.role}`;
  const all = Object.values(ATTRIBUTES).map(({ sql }) => sql);
  if (role === null) {
    const sql = ['CREATE ROLE ', identifier(settings.role), ` ${all.join(' ')} `, password(settings, salt), ';\n'];
    return [
      {
        resource,
        action: 'create',
        after: { login: true, password: '(secret)' },
        impact: 'none',
        because: 'there is none',
        commands: [statement(joinSecret(sql))],
        // It does no harm, and may own things by now.
        undo: [],
      },
    ];
  }
  const wrong = Object.entries(ATTRIBUTES).filter(([name, { want }]) => role.attributes[name as keyof Attributes] !== want);
  if (wrong.length === 0 && role.passwordMatches) return [];
  const alter = `ALTER ROLE ${identifier(settings.role)} `;
  const clauses = [...wrong.map(([, { sql }]) => sql), ...(role.passwordMatches ? [] : [password(settings, salt)])];
  const former = [...wrong.map(([name]) => formerly(name as keyof Attributes, role)), ...(role.passwordMatches ? [] : [verifier(role)])];
  return [
    {
      resource,
      action: 'update',
      before: {
        ...Object.fromEntries(wrong.map(([name, { want }]) => [name, !want])),
        ...(role.passwordMatches ? {} : { password: '(secret, differs)' }),
      },
      after: {
        ...Object.fromEntries(wrong.map(([name, { want }]) => [name, want])),
        ...(role.passwordMatches ? {} : { password: '(secret)' }),
      },
      impact: 'none',
      because: wrong.length === 0 ? 'the stored verifier is not one of this password' : 'the role differs from the settings',
      commands: [statement(joinSecret([alter, joinSecret(clauses, ' '), ';\n']))],
      ...inTheEnd(statement(joinSecret([alter, joinSecret(former, ' '), ';\n']))),
    },
  ];
}

type Role = NonNullable<ObjectsFacts['role']>;

/** How an attribute is set to what it was. */
function formerly(name: keyof Attributes, { attributes, validUntil, connectionLimit }: Role): string {
  if (name === 'expires') return `VALID UNTIL ${literal(validUntil ?? 'infinity')}`;
  if (name === 'limited') return `CONNECTION LIMIT ${connectionLimit}`;
  const word = name.toUpperCase();
  return attributes[name] ? word : `NO${word}`;
}

function verifier({ verifier }: Role): Secret | string {
  return verifier === null ? 'PASSWORD NULL' : joinSecret(["PASSWORD '", verifier, "'"]);
}

/**
 * The verifier is sent, not the password: a statement's text may come into the server's log (`log_statement`, an error, a slow one) or into
 * pg_stat_statements, and PostgreSQL stores a text of a verifier's form as it is (manual, "CREATE ROLE", PASSWORD).
 */
function password(settings: PostgresSettings, salt: string): Secret {
  return joinSecret(["PASSWORD '", scramVerifier(settings.password, Buffer.from(salt, 'base64')), "'"]);
}

/** Databases of the application by earlier settings; where its role is new too, they may be those of the former one. */
function formerDatabases({ role, others }: ObjectsFacts, settings: PostgresSettings): Left[] {
  const loss = `its tables stay, and the application, which will use ${settings.database}, does not see them`;
  return others.filter(({ owner }) => role === null || owner === settings.role).map(({ name }) => ({ kind: 'database', name, loss }));
}

/** The role that had the database, where all that is in it is its own, and nothing is of the role of the settings. */
function formerRole({ owner, ownerHas, roleHas }: NonNullable<ObjectsFacts['database']>, { role, database }: PostgresSettings): Left[] {
  if (ownerHas === 0 || roleHas > 0) return [];
  const loss = `its ${ownerHas} tables and other objects in ${database} stay its own, and the application, as role ${role}, has no rights on them`;
  return [{ kind: 'role', name: owner, loss }];
}

function planDatabase(facts: ObjectsFacts, settings: PostgresSettings): Change[] {
  const { database } = facts;
  const resource = `database ${settings.database}`;
  const name = identifier(settings.database);
  const owner = identifier(settings.role);
  if (database === null) {
    return [
      {
        resource,
        action: 'create',
        after: { owner: settings.role, encoding: 'UTF8' },
        ...leaving(formerDatabases(facts, settings)),
        because: 'there is none',
        commands: [statement(`CREATE DATABASE ${name} OWNER ${owner} TEMPLATE template0 ENCODING 'UTF8';\n`)],
        undo: [],
      },
    ];
  }
  if (database.encoding !== 'UTF8') {
    throw new SafetyError(
      `database ${settings.database} has the encoding ${database.encoding}, not UTF8; an encoding cannot be changed in place`,
      {
        next: `dump it, create a new database with UTF8 and restore into it under your eyes; or name another "database" in the settings`,
      },
    );
  }
  const changed = (what: Pick<Change, 'before' | 'after' | 'because'>, clause: string, former: string): Change => ({
    resource,
    action: 'update',
    impact: 'none',
    ...what,
    commands: [statement(`ALTER DATABASE ${name} ${clause};\n`)],
    ...inTheEnd(statement(`ALTER DATABASE ${name} ${former};\n`)),
  });
  const ownership = { before: { owner: database.owner }, after: { owner: settings.role }, because: 'it belongs to another role' };
  const limits = { before: { limited: true }, after: { limited: false }, because: 'its connections are limited, and not by the settings' };
  return [
    ...(database.owner === settings.role
      ? []
      : [
          changed(
            { ...ownership, ...leaving(formerRole(database, settings)) },
            `OWNER TO ${owner}`,
            `OWNER TO ${identifier(database.owner)}`,
          ),
        ]),
    ...(database.connectionLimit < 0 ? [] : [changed(limits, 'CONNECTION LIMIT -1', `CONNECTION LIMIT ${database.connectionLimit}`)]),
  ];
}

/** What the server itself takes back: once it runs with its former files, for with the new ones it may be down, or read-only. */
function inTheEnd(command: Command): Pick<Change, 'undo' | 'afterUndo'> {
  return { undo: [], afterUndo: [command] };
}

/** CREATE DATABASE copies its template and waits for a checkpoint. */
function statement(sql: string | Secret): Command {
  return psql('write', sql, 120_000);
}
