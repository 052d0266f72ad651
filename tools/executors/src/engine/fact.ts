import type { Command, CommandResult } from './command.ts';

/**
 * One thing to learn from a host: a command that only reads, and a pure parser of its answer.
 * "absent", "failed" and "unreachable" are three answers: a parser gives "absent" (as a value of `T`) only when
 * the tool said so, throws on a failed command (`mustSucceed`), and throws on output that it does not know.
 */
export type Fact<T> = {
  readonly name: string;
  readonly command: Command;
  parse(result: CommandResult): T;
  /** Of a fact that tries something: what is run in place of its command with `--skip-trial`. */
  readonly withoutTrial?: Command;
};

/** Facts by name; `F` maps each name to the type of its value. */
export type FactSet<F> = { readonly [K in keyof F]: Fact<F[K]> };

/** A fact set's commands, in the order of its keys; those that try something only if that is not skipped. */
export function factCommands<F>(facts: FactSet<F>, skipTrial = false): Command[] {
  return Object.values<Fact<unknown>>(facts as Record<string, Fact<unknown>>).map(({ command, withoutTrial }) =>
    skipTrial ? (withoutTrial ?? command) : command,
  );
}

/** Parses the answers to {@link factCommands}, in the same order. @throws what the parsers throw */
export function parseFacts<F>(facts: FactSet<F>, results: readonly CommandResult[]): F {
  const entries = Object.entries<Fact<unknown>>(facts as Record<string, Fact<unknown>>);
  return Object.fromEntries(
    entries.map(([key, fact], i) => {
      const result = results[i];
      if (result === undefined) throw new Error(`fact ${fact.name}: the host gave no answer`);
      return [key, fact.parse(result)];
    }),
  ) as F;
}
