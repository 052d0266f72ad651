import { type Ordinary, ordinary } from './ordinary.ts';
import type { Secret } from './secret.ts';

/** Why a value is too ordinary, as the end of a sentence. Never the value. */
export const WHY_ORDINARY: Readonly<Record<Ordinary, string>> = {
  short: 'it is shorter than 8 characters',
  word: 'it is a plain word or a number',
  name: 'it is a part of a name',
};

/**
 * A line for each secret whose value cannot be hidden wherever it stands.
 *
 * @param names of things that outputs name
 */
export function ordinaryWarnings(environment: string, secrets: ReadonlyMap<string, Secret>, names: readonly string[]): string[] {
  return [...secrets].flatMap(([name, secret]) => {
    const why = ordinary(secret.reveal(), names);
    if (why === undefined) return [];
    return [`warning: ${name} of ${environment} cannot be hidden everywhere: ${WHY_ORDINARY[why]}; a random value can (docs/secrets.md)`];
  });
}
