import { type Answer, lastValue, NotModelled, type Options, ok, options, ToolError } from './answer.ts';
import type { Zfs } from './zfs.ts';
import { allProperties, bytesOf, POOL_SIZE, property } from './zfs-properties.ts';

/** `zfs <argv>`. @throws ToolError when ZFS refuses; NotModelled when the model does not know the command */
export function zfsCommand(zfs: Zfs, argv: readonly string[]): Answer {
  const [verb = '', ...rest] = argv;
  const run = VERBS[verb];
  if (run === undefined) throw new NotModelled(`zfs ${argv.join(' ')}`);
  return run(zfs, rest);
}

/** `zpool <argv>`. */
export function zpoolCommand(zfs: Zfs, argv: readonly string[]): Answer {
  const [verb, ...rest] = argv;
  const read = options(rest, 'Hp', 'o');
  if (verb !== 'list') throw new NotModelled(`zpool ${argv.join(' ')}`);
  const pools = [...zfs.datasets.keys()].filter((name) => !name.includes('/') && (read.rest.length === 0 || read.rest.includes(name)));
  const missing = read.rest.find((name) => !pools.includes(name));
  if (missing !== undefined) throw new ToolError(`cannot open '${missing}': no such pool`);
  const lines = pools.sort().map((name) => {
    const allocated = [name, ...zfs.childrenOf(name)].reduce((all, one) => all + bytesOf(zfs.dataset(one).content), 0);
    const values: Record<string, string> = {
      ...{ name, size: String(POOL_SIZE), allocated: String(allocated), free: String(POOL_SIZE - allocated), health: 'ONLINE' },
      ...{ alloc: String(allocated), capacity: '0', cap: '0', readonly: 'off' },
    };
    return columns(read, 'name,size,allocated,free,health')
      .map((column) => values[column] ?? unknown(`zpool list -o ${column}`))
      .join('\t');
  });
  return print(lines);
}

const VERBS: Readonly<Record<string, (zfs: Zfs, argv: readonly string[]) => Answer>> = {
  list(zfs, argv) {
    const read = options(argv, 'Hpr', 'odtsS');
    const { things, errors } = selected(zfs, read, 'filesystem');
    const names = columns(read, 'name,used,available,referenced,mountpoint');
    return print(
      things.map((thing) => names.map((name) => (name === 'name' ? thing : property(zfs, thing, name).value)).join('\t')),
      errors,
    );
  },
  get(zfs, argv) {
    const read = options(argv, 'Hpr', 'odts');
    const [wanted = '', ...names] = read.rest;
    const { things, errors } = selected(zfs, { ...read, rest: names }, 'filesystem,snapshot');
    const sources = lastValue(read, 's')?.split(',');
    const lines = things.flatMap((thing) =>
      (wanted === 'all' ? allProperties(zfs, thing) : wanted.split(',')).flatMap((key) => {
        const found = property(zfs, thing, key);
        const kind = found.source === '-' ? 'none' : (found.source.split(' ')[0] as string);
        if (sources !== undefined && !sources.includes(kind)) return [];
        const values: Record<string, string> = { name: thing, property: key, value: found.value, source: found.source };
        return columns(read, 'name,property,value,source')
          .map((column) => values[column] ?? unknown(`zfs get -o ${column}`))
          .join('\t');
      }),
    );
    return print(lines, errors);
  },
  snapshot(zfs, argv) {
    const read = options(argv, '', 'o');
    zfs.cut(read.rest, assigned(read));
    return ok();
  },
  create(zfs, argv) {
    const read = options(argv, 'pu', 'o');
    zfs.create(only(read.rest), assigned(read), read.flags.has('p'));
    return ok();
  },
  clone(zfs, argv) {
    const read = options(argv, 'pu', 'o');
    const [origin = '', name = ''] = exactly(2, read.rest);
    zfs.clone(origin, name, assigned(read));
    return ok();
  },
  promote(zfs, argv) {
    zfs.promote(only(argv));
    return ok();
  },
  rename(zfs, argv) {
    const read = options(argv, 'u', '');
    const [from = '', to = ''] = exactly(2, read.rest);
    if (from.includes('@')) zfs.renameSnapshot(from, to.slice(to.indexOf('@') + 1));
    else zfs.rename(from, to);
    return ok();
  },
  rollback(zfs, argv) {
    const read = options(argv, 'r', '');
    zfs.rollback(only(read.rest), read.flags.has('r'));
    return ok();
  },
  destroy(zfs, argv) {
    const read = options(argv, 'r', '');
    const [dataset = '', names] = only(read.rest).split('@');
    if (names === undefined) zfs.destroy(dataset, read.flags.has('r'));
    else zfs.destroySnapshots(dataset, names.split(','));
    return ok();
  },
  set(zfs, argv) {
    const name = argv.at(-1) ?? '';
    for (const one of argv.slice(0, -1)) zfs.set(name, assignment(one));
    return ok();
  },
  inherit(zfs, argv) {
    const [key = '', name = ''] = exactly(2, options(argv, 'S', '').rest);
    zfs.set(name, { [key]: undefined });
    return ok();
  },
  hold(zfs, argv) {
    const [tag = '', ...names] = argv;
    for (const name of names) zfs.hold(tag, name);
    return ok();
  },
  release(zfs, argv) {
    const [tag = '', ...names] = argv;
    for (const name of names) zfs.release(tag, name);
    return ok();
  },
  holds(zfs, argv) {
    const read = options(argv, 'Hpr', '');
    return print(read.rest.flatMap((name) => zfs.snapshot(name).snapshot.holds.map((tag) => `${name}\t${tag}\t0`)));
  },
};

/** The things that a `list` or `get` is about; one that is not there is a word on stderr, and the others are told all the same. */
function selected(zfs: Zfs, read: Options, otherwise: string): { things: string[]; errors: string[] } {
  const types = (lastValue(read, 't') ?? otherwise).split(',').flatMap((type) => (type === 'all' ? ['filesystem', 'snapshot'] : type));
  const depthWord = lastValue(read, 'd');
  const depth = depthWord !== undefined ? Number(depthWord) : read.flags.has('r') ? Number.POSITIVE_INFINITY : 0;
  const all = read.rest.length === 0;
  const things: string[] = [];
  const errors: string[] = [];
  for (const name of all ? [...zfs.datasets.keys()].filter((one) => !one.includes('/')) : read.rest) {
    if (name.includes('@') ? !hasSnapshot(zfs, name) : !zfs.datasets.has(name))
      errors.push(`cannot open '${name}': dataset does not exist`);
    else if (name.includes('@')) things.push(name);
    else things.push(...below(zfs, name, all ? Number.POSITIVE_INFINITY : depth, types, depthWord === undefined && !read.flags.has('r')));
  }
  return { things: [...new Set(things)], errors };
}

function below(zfs: Zfs, root: string, depth: number, types: readonly string[], alone: boolean): string[] {
  const level = (name: string) => name.slice(root.length).split('/').length - 1;
  return [root, ...zfs.childrenOf(root).sort()].flatMap((name) => {
    if (level(name) > depth) return [];
    const own = types.includes('filesystem') ? [name] : [];
    // `zfs list -t snapshot <fs>` tells the snapshots of that one too, since OpenZFS 0.8.
    const deep = level(name) + 1 <= depth || (alone && name === root && !types.includes('filesystem'));
    const snapshots = types.includes('snapshot') && deep ? zfs.dataset(name).snapshots.map((one) => `${name}@${one.name}`) : [];
    return [...own, ...snapshots];
  });
}

function hasSnapshot(zfs: Zfs, fullName: string): boolean {
  const [dataset = '', name = ''] = fullName.split('@');
  return zfs.datasets.get(dataset)?.snapshots.some((one) => one.name === name) ?? false;
}

function columns(read: Options, otherwise: string): string[] {
  return (lastValue(read, 'o') ?? otherwise).split(',');
}

function assigned(read: Options): Record<string, string> {
  return Object.assign({}, ...read.values.filter(([letter]) => letter === 'o').map(([, word]) => assignment(word)));
}

function assignment(word: string): Record<string, string> {
  const at = word.indexOf('=');
  if (at < 1) throw new ToolError(`missing '=' for property=value argument '${word}'`, 2);
  return { [word.slice(0, at)]: word.slice(at + 1) };
}

function exactly(count: number, words: readonly string[]): readonly string[] {
  if (words.length !== count) throw new ToolError(`wrong number of arguments: ${words.join(' ')}`, 2);
  return words;
}

function only(words: readonly string[]): string {
  return exactly(1, words)[0] as string;
}

function print(lines: readonly string[], errors: readonly string[] = []): Answer {
  const text = (all: readonly string[]) => all.map((line) => `${line}\n`).join('');
  return { code: errors.length > 0 ? 1 : 0, stdout: text(lines), stderr: text(errors) };
}

function unknown(what: string): never {
  throw new NotModelled(what);
}
