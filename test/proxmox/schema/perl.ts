/** A Perl pattern, as the API schema writes it (`(?^i:…)`), for a whole text: `m/^PATTERN$/`, with Perl's last line break and no group around it. */
export function perlPattern(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const translated = pattern
    .replaceAll(/\(\?\^([a-z]*):/g, (_, flags) => (flags === '' ? '(?:' : `(?${flags}:`))
    .replaceAll(/\{,(\d+)\}/g, '{0,$1}')
    .replaceAll('\\0', '\\x00');
  const made = new RegExp(`^${translated}\\n?$`);
  compiled.set(pattern, made);
  return made;
}

const compiled = new Map<string, RegExp>();

/** Perl's `split_list` of the API: commas, semicolons and white space part the entries. */
export function splitList(text: string): string[] {
  if (text.includes('\0')) return dropEmptyEnd(text.split('\0'));
  const clean = text.replaceAll(/[,;]/g, ' ').trimStart();
  return clean === '' ? [] : dropEmptyEnd(clean.split(/\s+/));
}

/** Perl's `split` leaves empty fields at the end out. */
function dropEmptyEnd(parts: string[]): string[] {
  while (parts.at(-1) === '') parts.pop();
  return parts;
}

export const isInteger = (text: string) => /^[+-]?\d+\n?$/.test(text);
export const isNumber = (text: string) => /^[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?\n?$/.test(text);
