import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/*
 * Records which source files a value enters. Each module of the sources is given out behind a copy of its exports whose functions are
 * watched: those of exported objects, classes and schemas too, and those that an exported function gives. Where what such a function takes
 * or gives holds the value, its file is written down. It holds the value where a text in it, at any depth, is the value and nothing else: in
 * the settings, a parameter, a fact, a change. It does not where it only carries the value unopened: within a longer text (a command, a
 * file, an answer), or somewhere in a whole container, host or look that is handed on.
 */

const SOURCES = pathToFileURL(`${import.meta.dirname}/../../tools/executors/src/`).href;
/** In the address of a module as it is; what is watched imports it from there. */
const PLAIN = '?plain';

/** A way to the value from what a function took or gave: names of fields and places in lists. */
export type Way = readonly string[];
type Sight = { readonly function: string; readonly way: Way; readonly gives: boolean };

const sights = new Map<string, Sight[]>();
let marker: string | undefined;

/** From now on this value is looked for. It must be one that nothing else has. */
export function follow(value: string): void {
  marker = value;
}

/** What was seen, by file. */
export function seen(): Record<string, readonly Sight[]> {
  return Object.fromEntries(sights);
}

registerHooks({
  // Who tests asks for is not a step of the walk.
  resolve(name, context, next) {
    if (context.parentURL?.startsWith(`${SOURCES}hosts/local.ts`) && (name === 'execa' || name === 'node:net'))
      return { url: new URL('outside.ts', import.meta.url).href, shortCircuit: true };
    const found = next(name, context);
    const isOurs = found.url.startsWith(SOURCES) && found.url.endsWith('.ts') && context.parentURL?.startsWith(SOURCES) === true;
    return isOurs || !found.url.startsWith(SOURCES) || !found.url.endsWith('.ts') || isEntry(context.parentURL)
      ? found
      : { ...found, url: `${found.url}${PLAIN}` };
  },
  load(url, context, next) {
    if (!url.startsWith(SOURCES) || !url.endsWith('.ts')) return next(url, context);
    return { format: 'module', source: watchedModule(url), shortCircuit: true };
  },
});

/** The one module of the tests that sets off the walk. */
function isEntry(parent: string | undefined): boolean {
  return parent?.endsWith('/test/walk/program.ts') === true;
}

function watchedModule(url: string): string {
  const path = fileURLToPath(url);
  const text = stripTypeScriptTypes(readFileSync(path, 'utf8'));
  const names = [...text.matchAll(/^export (?:async )?(?:function\*?|const|class) ([\w$]+)/gm)].map(([, name]) => name as string);
  const listed = [...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, list = '']) =>
    list.split(',').map(
      (one) =>
        one
          .trim()
          .split(/\s+as\s+/)
          .at(-1) ?? '',
    ),
  );
  const all = [...names, ...listed.filter(Boolean)];
  const lines = all.map((name) => `export const ${name} = trace$.watched(file$, plain$.${name}, ${JSON.stringify(name)});`);
  if (/^export default /m.test(text)) lines.push(`export default trace$.watched(file$, plain$.default, 'default');`);
  return [
    `import * as trace$ from ${JSON.stringify(import.meta.url)};`,
    `import * as plain$ from ${JSON.stringify(`${url}${PLAIN}`)};`,
    `const file$ = ${JSON.stringify(relative(fileURLToPath(SOURCES), path))};`,
    `trace$.complete(file$, plain$, ${JSON.stringify(all)});`,
    ...lines,
  ].join('\n');
}

/** @throws when a module has an export that is not watched */
export function complete(file: string, plain: object, names: readonly string[]): void {
  const missed = Object.keys(plain).filter((name) => name !== 'default' && !names.includes(name));
  if (missed.length > 0) throw new Error(`${file}: ${missed.join(', ')} would not be watched`);
}

type Work = (...given: unknown[]) => unknown;
const watchers = new WeakMap<Work, Work>();
const known = new WeakSet<object>();

/** The same thing, with its functions watched. */
export function watched<T>(file: string, thing: T, name: string): T {
  if (typeof thing === 'function') {
    if (/^class\b/.test(Function.prototype.toString.call(thing))) {
      watchFields(file, thing.prototype, name);
      return thing;
    }
    return watchedFunction(file, thing as unknown as Work, name) as T;
  }
  if (isSchema(thing)) {
    if (!known.has(thing)) thing.safeParse = watchedFunction(file, thing.safeParse.bind(thing), `${name}.safeParse`);
    known.add(thing);
  } else if (isPlain(thing) && !known.has(thing)) {
    known.add(thing);
    watchFields(file, thing, name);
  }
  return thing;
}

function watchFields(file: string, thing: object, name: string): void {
  for (const field of Object.getOwnPropertyNames(thing)) {
    const { value, writable = false } = Object.getOwnPropertyDescriptor(thing, field) ?? {};
    if (field === 'constructor' || !writable || value === null || !['object', 'function'].includes(typeof value)) continue;
    (thing as Record<string, unknown>)[field] = watched(file, value, `${name}.${field}`);
  }
}

function watchedFunction(file: string, work: Work, name: string): Work {
  const before = watchers.get(work);
  if (before !== undefined) return before;
  const watcher: Work = function (this: unknown, ...given) {
    note(file, name, given, false);
    const gives = (result: unknown) => {
      note(file, name, [result], true);
      return given.includes(result) ? result : watched(file, result, `${name}()`);
    };
    const result = work.apply(this, given);
    if (result instanceof Promise) return result.then(gives);
    return isIterator(result) ? iterated(result, gives) : gives(result);
  };
  watchers.set(work, watcher);
  watchers.set(watcher, watcher);
  return watcher;
}

function iterated(iterator: AsyncGenerator, gives: (value: unknown) => unknown): unknown {
  return {
    [Symbol.asyncIterator]: () => iterated(iterator, gives),
    next: async (value: unknown) => {
      const step = await iterator.next(value);
      gives(step.value);
      return step;
    },
    return: (value: unknown) => iterator.return(value),
    throw: (error: unknown) => iterator.throw(error),
  };
}

function note(file: string, name: string, all: readonly unknown[], gives: boolean): void {
  if (marker === undefined) return;
  const way = wayTo(marker, all);
  if (way !== undefined) sights.set(file, [...(sights.get(file) ?? []), { function: name, way, gives }]);
}

/** The shortest way to a text that is the value. */
function wayTo(value: string, from: unknown): Way | undefined {
  const been = new Set<unknown>();
  let at: { thing: unknown; way: Way }[] = [{ thing: from, way: [] }];
  while (at.length > 0) {
    const next: typeof at = [];
    for (const { thing, way } of at) {
      if (typeof thing === 'string') {
        if (thing === value) return way;
        continue;
      }
      if (typeof thing !== 'object' || thing === null || been.has(thing)) continue;
      been.add(thing);
      if (isWhole(thing)) continue;
      for (const [field, inner] of fieldsOf(thing)) next.push({ thing: inner, way: [...way, field] });
    }
    at = next;
  }
  return undefined;
}

/** A container as the files have it, and what was seen of one or of a host: these are handed on as a whole, with settings somewhere in them. */
function isWhole(thing: object): boolean {
  return (
    ('project' in thing && ('settings' in thing || 'file' in thing)) || 'instances' in thing || ('desired' in thing && 'answers' in thing)
  );
}

/** A secret holds its text in a private field, which only its own `reveal` tells. */
function fieldsOf(thing: object): [string, unknown][] {
  if (thing instanceof Map) return [...thing].map(([key, value]) => [String(key), value]);
  if (thing instanceof Set) return [...thing].map((value, i) => [String(i), value]);
  if (thing instanceof Error) return [['message', thing.message], ...Object.entries(thing)];
  if (thing.constructor?.name === 'Secret') return [['reveal', (thing as { reveal(): string }).reveal()]];
  return Object.entries(Object.getOwnPropertyDescriptors(thing)).flatMap(([name, one]) =>
    'value' in one ? [[name, one.value] as [string, unknown]] : [],
  );
}

function isPlain(thing: unknown): thing is object {
  if (typeof thing !== 'object' || thing === null) return false;
  const prototype = Object.getPrototypeOf(thing);
  return prototype === Object.prototype || prototype === null || Array.isArray(thing);
}

function isSchema(thing: unknown): thing is { safeParse: Work } {
  return typeof thing === 'object' && thing !== null && 'safeParse' in thing;
}

function isIterator(thing: unknown): thing is AsyncGenerator {
  return typeof thing === 'object' && thing !== null && Symbol.asyncIterator in thing && 'throw' in thing;
}
