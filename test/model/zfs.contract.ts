import { describe, expect, test } from 'vitest';

/** A host with ZFS, as far as the contract needs it. */
export type ZfsBench = {
  /** A file system under which the contract may make what it likes; whoever opens the bench takes it away. */
  readonly root: string;
  run(argv: readonly [string, ...string[]]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  /** Writes a file into a file system, and reads it. */
  put(dataset: string, text: string): Promise<void>;
  get(dataset: string): Promise<string | undefined>;
};

/**
 * A step of a scenario: a command with `{}` for the scenario's own file system, or a file's content. `code` is 0 when left out;
 * `says` is the whole of stderr, `prints` of stdout, both without the last newline. A list is its lines in any order.
 */
export type Step =
  | { readonly run: string; readonly code?: number; readonly says?: string | RegExp; readonly prints?: string | readonly string[] }
  | { readonly put: string; readonly text: string }
  | { readonly get: string; readonly text: string | undefined };

export type Scenario = { readonly name: string; readonly steps: readonly Step[] };

/** What OpenZFS does, as far as nothing may be lost by it. The words of errors are those that the plugin parses, or a reader needs. */
const ZFS_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a cut of several file systems is of one moment',
    steps: [
      { run: 'zfs snapshot -o mooring:release=r {}/a@x {}/b@x' },
      { run: 'zfs get -H -o name,value -t snapshot mooring:release {}/a@x {}/b@x', prints: ['{}/a@x\tr', '{}/b@x\tr'] },
      { run: 'same: zfs get -Hp -o value createtxg {}/a@x {}/b@x' },
    ],
  },
  {
    name: 'a cut is made whole or not at all: one is missing',
    steps: [
      { run: 'zfs snapshot {}/a@x {}/nope@x', code: 2, says: /^cannot open '\{\}\/nope': dataset does not exist\nusage:/ },
      { run: 'zfs list -H -o name -t snapshot -r {}', prints: '' },
    ],
  },
  {
    name: 'a cut is made whole or not at all: one is there',
    steps: [
      { run: 'zfs snapshot {}/b@x' },
      {
        run: 'zfs snapshot {}/a@x {}/b@x',
        code: 1,
        says: "cannot create snapshot '{}/b@x': dataset already exists\nno snapshots were created",
      },
      { run: 'zfs list -H -o name -t snapshot -r {}', prints: '{}/b@x' },
      { run: 'zfs snapshot {}/b@x', code: 1, says: "cannot create snapshot '{}/b@x': dataset already exists" },
    ],
  },
  {
    name: 'a mark is local where it is set, and inherited below it',
    steps: [
      { run: 'zfs set mooring:kept=k {}/a' },
      { run: 'zfs snapshot {}/a@x' },
      { run: 'zfs get -H -o name,value,source mooring:kept {}/a {}/a@x', prints: ['{}/a\tk\tlocal', '{}/a@x\tk\tinherited from {}/a'] },
      { run: 'zfs get -H -r -t filesystem -s local -o name,value mooring:kept {}', prints: '{}/a\tk' },
      { run: 'zfs inherit mooring:kept {}/a' },
      { run: 'zfs get -H -o value,source mooring:kept {}/a', prints: '-\t-' },
    ],
  },
  {
    name: 'one that is absent is told, and the others all the same',
    steps: [
      {
        run: 'zfs get -Hp -o name,property,value,source type {}/a {}/nope',
        code: 1,
        says: "cannot open '{}/nope': dataset does not exist",
        prints: '{}/a\ttype\tfilesystem\t-',
      },
    ],
  },
  {
    name: 'rollback refuses what is newer, and names it',
    steps: [
      { put: '{}/a', text: 'one' },
      { run: 'zfs snapshot {}/a@x' },
      { run: 'zfs snapshot {}/a@y' },
      { put: '{}/a', text: 'two' },
      {
        run: 'zfs rollback {}/a@x',
        code: 1,
        says: "cannot rollback to '{}/a@x': more recent snapshots or bookmarks exist\nuse '-r' to force deletion of the following snapshots and bookmarks:\n{}/a@y",
      },
      { get: '{}/a', text: 'two' },
      { run: 'zfs rollback {}/a@nope', code: 1, says: "cannot open '{}/a@nope': dataset does not exist" },
      { run: 'zfs destroy {}/a@y' },
      { run: 'zfs rollback {}/a@x' },
      { get: '{}/a', text: 'one' },
    ],
  },
  {
    name: 'destroy of a list fails whole when one is held',
    steps: [
      { run: 'zfs snapshot {}/a@x' },
      { run: 'zfs snapshot {}/a@y' },
      { run: 'zfs hold k {}/a@y' },
      {
        run: 'zfs destroy {}/a@x,y',
        code: 1,
        says: "cannot destroy snapshot {}/a@y: it's being held. Run 'zfs holds -r {}/a@y' to see holders.",
      },
      { run: 'zfs list -H -o name -t snapshot -r {}', prints: ['{}/a@x', '{}/a@y'] },
      { run: 'zfs get -Hp -o value userrefs {}/a@y', prints: '1' },
      { run: 'zfs release k {}/a@y' },
      { run: 'zfs destroy {}/a@x,y,nope' },
      { run: 'zfs destroy {}/a@x', code: 1, says: 'could not find any snapshots to destroy; check snapshot names.' },
    ],
  },
  {
    name: 'destroy of a snapshot refuses while a clone stands on it',
    steps: [
      { run: 'zfs snapshot {}/a@x' },
      { run: 'zfs clone {}/a@x {}/c' },
      {
        run: 'zfs destroy {}/a@x',
        code: 1,
        says: /^cannot destroy '\{\}\/a@x': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\n\{\}\/c/,
      },
      { run: 'zfs get -Hp -o value clones {}/a@x', prints: '{}/c' },
    ],
  },
  {
    name: 'rename, clone, promote: nothing is copied and nothing is lost, and it goes back the same way',
    steps: [
      { put: '{}/a', text: 'one' },
      { run: 'zfs snapshot {}/a@before' },
      { put: '{}/a', text: 'two' },
      { run: 'zfs snapshot {}/a@after' },
      { run: 'zfs create -p -o mountpoint=none -o canmount=off {}/mooring' },
      { run: 'zfs create -p -o mountpoint=none -o canmount=off {}/mooring' },
      { run: 'zfs rename {}/a {}/mooring/a-1' },
      { run: 'zfs clone -o mountpoint=legacy -o canmount=noauto {}/mooring/a-1@before {}/a' },
      { run: 'zfs promote {}/a' },
      { get: '{}/a', text: 'one' },
      { get: '{}/mooring/a-1', text: 'two' },
      { run: 'zfs list -H -o name -t snapshot -r {}', prints: ['{}/a@before', '{}/mooring/a-1@after'] },
      { run: 'zfs get -H -o value origin {}/mooring/a-1', prints: '{}/a@before' },
      { run: 'zfs get -H -o value origin {}/a', prints: '-' },
      { run: 'zfs rename {}/a {}/mooring/a-2' },
      { run: 'zfs rename {}/mooring/a-1 {}/a' },
      { run: 'zfs promote {}/a' },
      { get: '{}/a', text: 'two' },
      { run: 'zfs list -H -o name -t snapshot -r {}', prints: ['{}/a@before', '{}/a@after'] },
      { run: 'zfs get -H -o value origin {}/mooring/a-2', prints: '{}/a@before' },
    ],
  },
  {
    name: "a clone does not get its origin's own properties",
    steps: [
      { run: 'zfs set quota=1073741824 {}/a' },
      { run: 'zfs snapshot {}/a@x' },
      { run: 'zfs clone {}/a@x {}/c' },
      { run: 'zfs get -Hp -o value,source quota {}/a', prints: '1073741824\tlocal' },
      { run: 'zfs get -Hp -o value,source quota {}/c', prints: '0\tdefault' },
    ],
  },
  {
    name: 'a limit of none is printed as 0, and 0 is not taken for it',
    steps: [
      { run: 'zfs set quota=none {}/a' },
      { run: 'zfs get -Hp -o value,source quota {}/a', prints: '0\tlocal' },
      { run: 'zfs snapshot {}/a@x' },
      { run: 'zfs clone -o quota=0 {}/a@x {}/c', code: 1, says: /use 'none' to disable quota\/refquota/ },
      { run: 'zfs clone -o quota=none {}/a@x {}/c' },
    ],
  },
  {
    name: 'what has snapshots is not destroyed without a word that says so; a clone is, and its origin stays',
    steps: [
      { run: 'zfs snapshot {}/a@x' },
      { run: 'zfs clone -o mooring:drill=name {}/a@x {}/c' },
      { run: 'zfs get -H -o property,value,source mooring:drill {}/c', prints: 'mooring:drill\tname\tlocal' },
      {
        run: 'zfs destroy {}/a',
        code: 1,
        says: /^cannot destroy '\{\}\/a': filesystem has children\nuse '-r' to destroy the following datasets:\n\{\}\/a@x/,
      },
      { run: 'zfs destroy {}/c' },
      { run: 'zfs list -H -o name -t snapshot {}/a', prints: '{}/a@x' },
    ],
  },
  {
    name: 'what is not a clone is not promoted, and a name that is taken is not taken again',
    steps: [
      { run: 'zfs promote {}/a', code: 1, says: "cannot promote '{}/a': not a cloned filesystem" },
      { run: 'zfs rename {}/a {}/b', code: 1, says: /dataset already exists/ },
      { run: 'zfs rename {}/a {}/nope/a', code: 1, says: /parent does not exist/ },
      { run: 'zfs snapshot {}/a@x' },
      { run: 'zfs clone {}/a@x {}/b', code: 1, says: "cannot create '{}/b': dataset already exists" },
      { run: 'zfs clone {}/a@nope {}/c', code: 1, says: "cannot open '{}/a@nope': dataset does not exist" },
    ],
  },
];

/** Registers the scenarios as tests. The same ones run against the model and against real OpenZFS. */
export function zfsContract(kind: string, open: () => Promise<ZfsBench>): void {
  describe(`${kind} keeps the contract of ZFS`, () => {
    test.each(ZFS_SCENARIOS)('$name', async ({ steps }) => {
      const bench = await open();
      const root = bench.root;
      for (const name of ['a', 'b'])
        expect(await bench.run(['zfs', 'create', '-o', 'mountpoint=legacy', `${root}/${name}`])).toMatchObject({ code: 0 });
      for (const step of steps) await take(bench, step);
    });
  });
}

/** Takes one step, and holds the answer to what it says. */
export async function take(bench: ZfsBench, step: Step): Promise<void> {
  const { root } = bench;
  const full = (text: string) => text.replaceAll('{}', root);
  if ('put' in step) return bench.put(full(step.put), step.text);
  if ('get' in step) return expect(await bench.get(full(step.get)), `content of ${step.get}`).toBe(step.text);
  const same = step.run.startsWith('same: ');
  const [program = '', ...words] = full(step.run.replace(/^same: /, '')).split(' ');
  const answer = await bench.run([program, ...words]);
  const short = (text: string) => text.replaceAll(root, '{}').replace(/\n$/, '');
  expect(answer.code, `${step.run}\n${answer.stderr}`).toBe(step.code ?? 0);
  if (step.says instanceof RegExp) expect(short(answer.stderr), step.run).toMatch(step.says);
  else expect(short(answer.stderr), step.run).toBe(step.says ?? '');
  const lines = short(answer.stdout).split('\n');
  if (same) expect(new Set(lines).size, step.run).toBe(1);
  if (typeof step.prints === 'string') expect(short(answer.stdout), step.run).toBe(step.prints);
  else if (step.prints !== undefined) expect(lines.sort(), step.run).toEqual([...step.prints].sort());
}
