import { load } from '../data/load.ts';
import { checkObject, type Given, nothingWrong, type Rule, type Wrong } from './validate.ts';

/** `['perm', path, privileges, 'any', 1]`, or `and`/`or` of such. */
type Check = readonly ['perm', string, readonly string[], ...unknown[]] | readonly ['and' | 'or', ...unknown[]];
type Method = {
  readonly permissions?: { readonly check?: Check };
  readonly parameters: { readonly properties?: Readonly<Record<string, Rule>>; readonly additionalProperties?: number | object };
};
type Schema = { readonly paths: Readonly<Record<string, Readonly<Record<string, Method>>>> };

/** The answer of the API's first stage, before any of its code has run. */
export type Verdict = { readonly status: 200 } | { readonly status: 400; readonly message: string; readonly errors: Wrong };

/** How many of a numbered option there are; the schema has `net[n]` only. */
const COUNTS: Readonly<Record<string, number>> = { net: 32, mp: 256, dev: 256, unused: 256, ipconfig: 32 };

let schema: Schema | undefined;
const rules = new Map<string, Readonly<Record<string, Rule>>>();

/** The rules for a call's parameters, those of its path too; nothing when there is no such call. */
export function rulesOf(method: string, template: string): Readonly<Record<string, Rule>> | undefined {
  const name = `${method} ${template}`;
  const known = rules.get(name);
  if (known !== undefined) return known;
  schema ??= load<Schema>('api-schema-lxc');
  const found = schema.paths[template]?.[method];
  if (found === undefined) return undefined;
  const all = Object.fromEntries(Object.entries(found.parameters.properties ?? {}).flatMap(numbered));
  rules.set(name, all);
  return all;
}

function numbered([key, rule]: [string, Rule]): [string, Rule][] {
  const [, base] = /^(.+)\[n\]$/.exec(key) ?? [];
  if (base === undefined) return [[key, rule]];
  const count = COUNTS[base] ?? 32;
  return Array.from({ length: count }, (_, n) => [`${base}${n}`, rule]);
}

/** Checks a whole call. @throws when the schema has no such call */
export function validateCall(method: string, template: string, params: Readonly<Record<string, Given>>): Verdict {
  const found = rulesOf(method, template);
  if (found === undefined) throw new Error(`the schema has no ${method} ${template}`);
  const errors = nothingWrong();
  checkObject('', found, params, false, errors);
  return Object.keys(errors).length === 0 ? { status: 200 } : { status: 400, message: 'Parameter verification failed.\n', errors };
}

/**
 * Asks for the rights that a call needs, by the schema.
 *
 * @param mustHave throws when the caller has not what is asked for: path with its placeholders, privileges, whether one of them is enough
 */
export function rulePermissions(
  method: string,
  template: string,
  mustHave: (path: string, privileges: readonly string[], any: boolean) => void,
): void {
  schema ??= load<Schema>('api-schema-lxc');
  const check = schema.paths[template]?.[method]?.permissions?.check;
  if (check !== undefined) evaluate(check, mustHave);
}

function evaluate(check: Check, mustHave: (path: string, privileges: readonly string[], any: boolean) => void): void {
  const [kind, ...rest] = check;
  if (kind === 'perm') {
    const [path, privileges, ...flags] = rest as [string, string[], ...unknown[]];
    mustHave(path, privileges, flags[0] === 'any');
    return;
  }
  const parts = rest as Check[];
  if (kind === 'and') {
    for (const part of parts) evaluate(part, mustHave);
    return;
  }
  const failures = parts.flatMap((part) => {
    try {
      evaluate(part, mustHave);
      return [];
    } catch (error) {
      return [error];
    }
  });
  if (failures.length === parts.length) throw failures[0];
}
