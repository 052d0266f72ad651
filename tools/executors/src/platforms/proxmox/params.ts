import { reveal, type Secret } from '../../engine/secret.ts';

/** What a call is given. `undefined` is left out; a boolean is sent as 1 or 0. */
export type Params = Readonly<Record<string, string | number | boolean | Secret | undefined>>;

/** Parameters as a query string or a form's body. Secrets are in clear in it. */
export function encode(params: Params): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) form.append(name, typeof value === 'boolean' ? (value ? '1' : '0') : reveal(value));
  }
  return form.toString();
}
