import { inspect } from 'node:util';

const HIDDEN = '(secret)';

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

/**
 * Makes a function that replaces every given secret, raw, base64 (any alignment) or URL-encoded, by
 * `(secret)`. The last net under all output: error texts of the real tools may quote what they were given.
 * Secrets shorter than 4 characters are not replaced: they would tear ordinary words apart.
 */
export function redactor(secrets: Iterable<Secret>): (text: string) => string {
  const needles = new Set<string>();
  for (const secret of secrets) {
    const value = secret.reveal();
    if (value.length < 4) continue;
    needles.add(value);
    needles.add(encodeURIComponent(value));
    needles.add(JSON.stringify(value).slice(1, -1));
    for (const padding of ['', ' ', '  ']) {
      // The encoding of a part depends on where it starts modulo 3; the first and last characters mix with neighbours.
      const encoded = Buffer.from(padding + value)
        .toString('base64')
        .replace(/=+$/, '');
      const stable = encoded.slice(padding.length === 0 ? 0 : padding.length + 1, -1);
      if (stable.length >= 4) needles.add(stable);
    }
  }
  const ordered = [...needles].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((clean, needle) => clean.replaceAll(needle, HIDDEN), text);
}
