import { InputError } from '../../engine/errors.ts';

/**
 * What the grammar needs to know of one property. The words are those of the Proxmox API schema, so that its formats can be given as
 * they are.
 */
export type PropertyRule = {
  readonly type?: string;
  readonly optional?: boolean | number;
  /** The property whose key may be left out: `volume` in `local-zfs:8,mp=/srv`. */
  readonly default_key?: boolean | number;
  /** This key is another way to write the property `alias`; the key that was written is then the value of `keyAlias`. */
  readonly alias?: string;
  readonly keyAlias?: string;
  readonly format?: unknown;
};

/** Properties of one kind of string: of `netN`, of `rootfs`. */
export type PropertyFormat = Readonly<Record<string, PropertyRule>>;

/** A property string in parts, in the order in which they were written. Booleans are `0` and `1`. */
export type Properties = Readonly<Record<string, string>>;

/** A text that is no property string of its format. The message is Proxmox's own. */
export class PropertyError extends InputError {}

const MISSING_KEY = 'missing key in comma-separated list property';
const NO_DEFAULT = 'value without key, but schema does not define a default key';
const duplicate = (key: string) => new PropertyError(`duplicate key in comma-separated list property: ${key}`);

/**
 * Takes a property string apart, as Proxmox does. Keys that the format does not have are kept: a newer Proxmox may have put them there.
 *
 * @throws PropertyError when it is none
 */
export function parseProperties(format: PropertyFormat, text: string): Properties {
  const found = new Map<string, string>();
  let withoutKey = false;
  for (const part of text.split(',')) {
    if (/^\s*$/.test(part)) continue;
    const [, key, value] = /^([^=]+)=([^\n]+)\n?$/.exec(part) ?? [];
    if (key !== undefined && value !== undefined) {
      addPair(format, found, key, value);
    } else if (part.includes('=')) {
      throw new PropertyError(MISSING_KEY);
    } else {
      const name = defaultKey(format);
      if (name === undefined) throw new PropertyError(NO_DEFAULT);
      // Perl's truth: an earlier "0" counts as nothing.
      if (withoutKey || !['', '0', undefined].includes(found.get(name))) throw duplicate(name);
      withoutKey = true;
      found.set(name, part);
    }
  }
  return Object.fromEntries(found);
}

function addPair(format: PropertyFormat, found: Map<string, string>, written: string, value: string): void {
  if (found.has(written)) throw duplicate(written);
  const rule = ruleOf(format, written);
  const key = rule?.alias ?? written;
  if (rule?.alias !== undefined && rule.keyAlias !== undefined) {
    if (found.has(rule.keyAlias)) throw new PropertyError(`key alias '${rule.keyAlias}' is already defined`);
    found.set(rule.keyAlias, written);
  }
  found.set(key, ruleOf(format, key)?.type === 'boolean' ? parseBoolean(value) : value);
}

/** The words that Proxmox takes for yes and no inside a property string; anything else is left for the check of the type. */
function parseBoolean(value: string): string {
  if (/^(1|on|yes|true)$/i.test(value)) return '1';
  return /^(0|off|no|false)$/i.test(value) ? '0' : value;
}

/**
 * The text of properties, in their order. Reading it again gives the same properties.
 *
 * @throws PropertyError when a key or a value cannot be written: it is empty, or has a comma, a line break or a NUL in it
 */
export function printProperties(format: PropertyFormat, properties: Properties): string {
  const first = defaultKey(format);
  return Object.entries(properties)
    .map(([key, value]) => {
      if (!/^[^=,\n\0]*[^=,\s\0][^=,\n\0]*$/.test(key) || value === '' || /[,\n\0]/.test(value)) {
        throw new PropertyError(`${key}=${value} cannot be written as a part of a property string`);
      }
      return key === first && !value.includes('=') && value.trim() !== '' ? value : `${key}=${value}`;
    })
    .join(',');
}

/** The same properties as Proxmox itself would write them: default key, required ones, the rest by name; sizes in the largest whole unit. */
export function canonical(format: PropertyFormat, properties: Properties): Properties {
  const rank = (key: string) => (key === defaultKey(format) ? 0 : ruleOf(format, key)?.optional ? 2 : 1);
  return Object.fromEntries(
    Object.entries(properties)
      .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
      .map(([key, value]) => [key, ruleOf(format, key)?.format === 'disk-size' ? printSize(parseSize(value)) : value]),
  );
}

/** A size such as `8G`, `512M`, `1.5T`, in bytes. @throws PropertyError */
export function parseSize(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMGT])?$/.exec(text) ?? [];
  if (number === undefined) throw new PropertyError(`value does not look like a valid disk size: ${text}`);
  return Math.trunc(Number(number) * 1024 ** ' KMGT'.indexOf(unit ?? ' '));
}

/** Bytes as Proxmox writes a size: in the largest unit that leaves nothing over. */
export function printSize(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size > 0 && size % 1024 === 0 && unit < 4) {
    size /= 1024;
    unit++;
  }
  return `${size}${' KMGT'.charAt(unit).trim()}`;
}

/** The property whose key may be left out. */
function defaultKey(format: PropertyFormat): string | undefined {
  return Object.keys(format).find((key) => format[key]?.default_key);
}

/** The rule for a key that may come from outside, and be called `constructor`. */
function ruleOf(format: PropertyFormat, key: string): PropertyRule | undefined {
  return Object.hasOwn(format, key) ? format[key] : undefined;
}
