import { inspect } from 'node:util';

/** What is shown in the place of a secret. */
export const HIDDEN = '(secret)';

/**
 * A value that must never be seen. It prints as `(secret)` wherever a value can be printed by
 * accident: template strings, JSON, `console.log`, error messages. Only {@link Secret.reveal} gives
 * the value, and only a host's stdin or a protocol client may ask for it.
 */
export class Secret {
  readonly #value: string;
  readonly #shown: string;

  /**
   * @param value the secret text
   * @param shown what to print instead; never derived from the value
   */
  constructor(value: string, shown: string = HIDDEN) {
    this.#value = value;
    this.#shown = shown;
  }

  /** The secret text itself. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return this.#shown;
  }

  toJSON(): string {
    return this.#shown;
  }

  [inspect.custom](): string {
    return this.#shown;
  }
}

/**
 * Text with secrets in it, as one {@link Secret} that prints with `(secret)` in their places.
 *
 * @example secretText`requirepass ${password}\n` prints as `requirepass (secret)`
 */
export function secretText(strings: TemplateStringsArray, ...values: readonly (Secret | string | number)[]): Secret {
  const join = (text: (value: Secret | string | number) => string) =>
    strings.reduce((all, part, i) => all + part + (i < values.length ? text(values[i] as Secret | string) : ''), '');
  return new Secret(
    join((value) => reveal(value)),
    join((value) => String(value)),
  );
}

/** Concatenates text and secrets into one {@link Secret}; see {@link secretText}. */
export function joinSecret(parts: readonly (Secret | string)[], separator = ''): Secret {
  return new Secret(parts.map(reveal).join(separator), parts.map(String).join(separator));
}

/** The text of a value that may be a secret. For the edges only: stdin of a command, a protocol client. */
export function reveal(value: Secret | string | number): string {
  return value instanceof Secret ? value.reveal() : String(value);
}
