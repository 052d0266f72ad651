import { z } from 'zod';
import { Secret } from '../engine/secret.ts';
import { secretReference } from '../engine/secret-reference.ts';
import { isEnvironmentValue } from './environment-file.ts';

/** One program argument. systemd takes no control characters in its lines; a newline would begin another setting. */
const argument = z.string().regex(/^[^\p{Cc}]*$/u, 'expected one line without control characters');

/** Program and arguments, never a shell string. */
export const argv = z
  .tuple([argument.min(1).refine((program) => !program.includes('='), 'a program with = in its name is not taken')], argument)
  .meta({ description: 'Program and arguments; no shell is involved', examples: [['node', 'server.js']] });

/** A folder of the repository, relative to its root; `.` is the root itself. */
export const folder = z
  .string()
  .regex(/^(\.|(?!\/|-)(?!(?:.*\/)?\.{1,2}(?:\/|$))[\w@+.-]+(?:\/[\w@+.-]+)*)$/, 'expected a folder inside the repository, such as backend')
  .meta({ examples: ['backend'] });

export const port = z.int().min(1).max(65535);

/** Variables that the units set themselves. */
const ownVariables: readonly string[] = ['PORT', 'BACKEND_PORT', 'FRONTEND_PORT', 'APP_ENVIRONMENT', 'APP_SHARED', 'HOME', 'PATH', 'USER'];

const text = 'has characters that systemd takes in no variable: control characters other than tab and newline, or no Unicode text';

/** Variables by name. Values are texts or secret references. */
export const variables = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a name of letters, digits and _, not beginning with a digit')
    .refine((name) => !ownVariables.includes(name), `the units set this one themselves (${ownVariables.join(', ')})`),
  z.union(
    [
      z.string().refine(isEnvironmentValue, text),
      secretReference.refine((value) => !(value instanceof Secret) || isEnvironmentValue(value.reveal()), text),
    ],
    'expected a text or a secret reference such as {"secret": "NAME"}',
  ),
);

/** An OpenSSH public key as in a .pub file: type, key, comment. No options before it: they would be followed. */
export const publicKey = z
  .string()
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]{40,}={0,2}( [^\p{Cc}]*)?$/u,
    'expected an OpenSSH public key such as "ssh-ed25519 AAAA… name"',
  );

/** Where a git server is asked: `ssh://user@host:port/path` or `user@host:path`, or over HTTPS without a key. */
export const repository = z
  .string()
  .regex(
    /^(ssh:\/\/[\w.-]+@[\w.-]+(:\d{1,5})?\/[^\s\p{Cc}'"\\]+|[a-zA-Z_][\w.-]*@[\w][\w.-]*:(?!\/\/)[^\s\p{Cc}'"\\]+|https:\/\/[\w.-]+(:\d{1,5})?\/[^\s\p{Cc}'"\\]+)$/u,
    'expected a git URL: git@host:path, ssh://user@host:port/path or https://host/path',
  )
  .meta({ examples: ['git@git.example.org:team/app.git'] });

/** git-check-ref-format(1), a little stricter. */
export const branch = z
  .string()
  .max(200)
  .regex(
    /^(?!-)(?!.*(?:\.\.|\/\/|@\{|\.lock(?:\/|$)|\/\.|\.$|\/$))[A-Za-z0-9][\w./+-]*$/,
    'expected the name of a branch, such as main or release/2',
  )
  .meta({ examples: ['main'] });

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits');
