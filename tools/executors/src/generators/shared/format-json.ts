const WIDTH = 80;

/**
 * JSON as the common formatters (Prettier, oxfmt, Biome) leave it: indented by two, a list or a short object of one field on one
 * line where it fits into 80 columns. A workspace need not have one of them.
 *
 * @returns the text with its last newline
 */
export function formatJson(value: unknown): string {
  return `${print(value, '', 0)}\n`;
}

/** @param used columns before the value on its first line */
function print(value: unknown, indent: string, used: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return `${open}${close}`;
  const key = (name: string) => (isList ? '' : `${JSON.stringify(name)}: `);
  if (isList ? entries.every(([, item]) => isScalar(item)) : entries.length === 1 && isScalar(entries[0]?.[1])) {
    const inner = entries.map(([name, item]) => `${key(name)}${JSON.stringify(item)}`).join(', ');
    const line = isList ? `[${inner}]` : `{ ${inner} }`;
    // The comma that may come after it counts.
    if (used + line.length < WIDTH) return line;
  }
  const deeper = `${indent}  `;
  const lines = entries.map(([name, item]) => `${deeper}${key(name)}${print(item, deeper, deeper.length + key(name).length)}`);
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
