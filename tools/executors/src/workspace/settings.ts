type Json = unknown;

/** `over` laid over `base`: objects are merged field by field; anything else, lists and secret references too, is replaced as a whole. */
export function mergeSettings(base: Json, over: Json): Json {
  if (over === undefined) return base;
  if (!isPlain(base) || !isPlain(over) || 'secret' in base || 'secret' in over) return over;
  const keys = new Set([...Object.keys(base), ...Object.keys(over)]);
  return Object.fromEntries([...keys].map((key) => [key, mergeSettings(base[key], over[key])]));
}

/** The same value with `${environment}` replaced in every text, at any depth. Other `${…}` are left: a setting may hold them itself. */
export function fillIn<T extends Json>(value: T, environment: string): T {
  if (typeof value === 'string') return value.replaceAll('${environment}', environment) as T;
  if (Array.isArray(value)) return value.map((item) => fillIn(item, environment)) as T;
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillIn(item, environment)])) as T;
}

function isPlain(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
