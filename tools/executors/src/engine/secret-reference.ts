import { z } from 'zod';
import type { MooringError } from './errors.ts';
import { Secret } from './secret.ts';

/** Name of a secret: `REDIS_PASSWORD`. */
export const secretName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'a secret name is upper case, such as REDIS_PASSWORD');

const reference = z.strictObject({ secret: secretName });

/**
 * A setting whose value is a secret: in files always `{"secret": "NAME"}`; in the settings that services see, a {@link Secret}.
 * The loader replaces references before the service's schema runs, so the schema accepts either and gives a Secret out.
 */
export const secretReference = z.custom<Secret>((value) => value instanceof Secret || reference.safeParse(value).success, {
  message: 'expected a secret reference such as {"secret": "REDIS_PASSWORD"}; a value in clear is not taken',
});

/** All secret names that a settings value refers to, at any depth. */
export function secretNames(value: unknown): string[] {
  const found = reference.safeParse(value);
  if (found.success) return [found.data.secret];
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap(secretNames))];
}

/** The same value with every reference replaced by what `lookup` gives. */
export function resolveReferences(value: unknown, lookup: (name: string) => Secret): unknown {
  const found = reference.safeParse(value);
  if (found.success) return lookup(found.data.secret);
  if (Array.isArray(value)) return value.map((item) => resolveReferences(item, lookup));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveReferences(item, lookup)]));
}

/** What is known of secrets: their values, and of each other one why it has none. */
export type FoundSecrets = { readonly found: ReadonlyMap<string, Secret>; readonly missing: ReadonlyMap<string, MooringError> };
