import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pote, proxmox, shop } from '../../../../test/app-files.ts';
import { showError } from '../engine/errors.ts';
import { worldOf } from '../world/index.ts';
import { appSchema } from './app.ts';

const loadWorkspace = (root: string) => worldOf(root).files.load();

/* Bad input in every field of app.json: the list of fields is the schema's own, so none can be left out. */

type Path = readonly (string | number)[];
type Node = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | false;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
};

const FILE = 'infra/apps/pote/app.json';
/** Keys of records, where the schema has none. */
const RECORD_KEY: Readonly<Record<string, string>> = { environments: 'dev' };
/** Texts that may be anything, lines too. */
const FREE = ['description', '$schema', 'envVars', 'buildVars'];

const schema = z.toJSONSchema(appSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any' }) as Node;
const fields = walk(schema).filter(({ leaf }) => leaf);
const objects = walk(schema).filter(({ node, path }) => node.additionalProperties === false && path.length > 0);

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring-fields-'));
  put('nx.json', {});
  put('infra/environments/dev.json', { proxmox });
});
afterAll(() => rmSync(root, { recursive: true }));

function put(file: string, content: unknown): void {
  mkdirSync(join(root, dirname(file)), { recursive: true });
  writeFileSync(join(root, file), JSON.stringify(content));
}

/** The places of a schema: of a list its first item, of a record one key. A leaf has no places in it. */
function walk(node: Node, path: Path = []): { path: Path; node: Node; leaf: boolean }[] {
  const inner = (node.anyOf ?? [node]).flatMap((kind) => [
    ...Object.entries(kind.properties ?? {}).flatMap(([name, child]) => walk(child, [...path, name])),
    ...(kind.additionalProperties ? walk(kind.additionalProperties, [...path, RECORD_KEY[String(path.at(-1))] ?? 'A_KEY']) : []),
    ...(kind.items === undefined ? [] : walk(kind.items, [...path, 0])),
  ]);
  return [{ path, node, leaf: inner.length === 0 }, ...inner];
}

/** As messages name it: `jobs[0].name`. */
function shown(path: Path): string {
  return path.reduce<string>((all, name) => `${all}${typeof name === 'number' ? `[${name}]` : `${all === '' ? '' : '.'}${name}`}`, '');
}

/** The application with one value replaced. */
function withValue(path: Path, value: unknown): object {
  const copy = structuredClone(path[0] === 'node' ? shop : pote) as Record<string, unknown>;
  let at: Record<string | number, unknown> = copy;
  for (const [i, name] of path.entries()) {
    if (i === path.length - 1) at[name] = value;
    else {
      if (typeof at[name] !== 'object' || at[name] === null) at[name] = typeof path[i + 1] === 'number' ? [] : {};
      at = at[name] as Record<string | number, unknown>;
    }
  }
  return copy;
}

async function problems(app: object): Promise<string> {
  put(FILE, app);
  return loadWorkspace(root).then(() => 'no problem', showError);
}

/** The field, or the one above it where the schema has several kinds of values for that. */
function names(text: string, path: Path): boolean {
  return [path, path.slice(0, -1)].some((one) => one.length > 0 && text.includes(`${FILE}: ${shown(one)}`));
}

it('the applications that the fields are put into have no problem themselves', async () => {
  for (const app of [pote, shop]) expect(await problems(app)).toBe('no problem');
});

it('the schema has these fields', () => expect(fields.length).toBeGreaterThan(60));

describe.each(fields.map(({ path }) => [shown(path), path] as const))('%s', (_, path) => {
  it('of another type is refused, by file and field', async () => {
    for (const wrong of [{ unheard: 1.5 }, [[1.5]], Number.MIN_VALUE]) {
      const text = await problems(withValue(path, wrong));
      expect(names(text, path), text).toBe(true);
    }
  });

  it('with a line break or a NUL is refused, unless it may hold any text', async () => {
    if (path.some((name) => FREE.includes(String(name)))) return;
    for (const hostile of ['a\nb', '\0']) {
      const text = await problems(withValue(path, hostile));
      expect(names(text, path), text).toBe(true);
    }
  });
});

describe.each(objects.map(({ path }) => [shown(path), path] as const))('%s', (_, path) => {
  it('has no other fields', async () => {
    const text = await problems(withValue([...path, 'colour'], 'red'));
    expect(text).toMatch(/colour: unknown field|[Uu]nrecognized/);
  });
});
