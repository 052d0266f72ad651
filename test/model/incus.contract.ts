import { describe, expect, test } from 'vitest';
import { type Scenario, take, type ZfsBench } from './zfs.contract.ts';

/** A host whose Incus has a stopped instance of its own for each scenario. */
export type IncusBench = ZfsBench & {
  /** The instance: `{}` in a scenario is its name, `{ds}` its dataset. */
  readonly dataset: string;
};

/** What Incus does on ZFS where its records and the datasets do not agree (seen on 6.0.4, re-checked on 7.0.2). */
export const INCUS_SCENARIOS: readonly Scenario[] = [
  {
    name: 'its snapshots are @snapshot-<name>',
    steps: [{ run: 'incus snapshot create {} s1' }, { run: 'zfs list -H -o name -t snapshot {ds}', prints: '{ds}@snapshot-s1' }],
  },
  {
    name: 'a restore of a snapshot that ZFS lacks answers 0 and restores nothing',
    steps: [
      { run: 'incus snapshot create {} s1' },
      { put: '{ds}', text: 'two' },
      { run: 'zfs destroy {ds}@snapshot-s1' },
      { run: 'incus snapshot restore {} s1' },
      { get: '{ds}', text: 'two' },
      { run: 'incus snapshot create {} s1', code: 1, says: /UNIQUE constraint failed: instances_snapshots/ },
      { run: 'incus snapshot delete {} s1' },
      { run: 'incus snapshot delete {} s1', code: 1, says: /Instance_snapshot not found/ },
    ],
  },
  {
    name: 'a newer snapshot that is not its own blocks a restore, an older one does not',
    steps: [
      { run: 'zfs snapshot {ds}@older' },
      { put: '{ds}', text: 'one' },
      { run: 'incus snapshot create {} s1' },
      { put: '{ds}', text: 'two' },
      { run: 'zfs snapshot {ds}@newer' },
      { run: 'incus snapshot restore {} s1', code: 1, says: /cannot be restored due to subsequent internal snapshot\(s\)/ },
      { get: '{ds}', text: 'two' },
      { run: 'zfs destroy {ds}@newer' },
      { run: 'incus snapshot restore {} s1' },
      { get: '{ds}', text: 'one' },
    ],
  },
  {
    name: 'a newer one of its own blocks a restore as well',
    steps: [
      { run: 'incus snapshot create {} s1' },
      { run: 'incus snapshot create {} s2' },
      { run: 'incus snapshot restore {} s1', code: 1, says: /cannot be restored due to subsequent snapshot\(s\)/ },
    ],
  },
  {
    name: 'a name that ZFS has taken is refused, and leaves no record',
    steps: [
      { run: 'zfs snapshot {ds}@snapshot-x' },
      { run: 'incus snapshot create {} x', code: 1, says: /cannot create snapshot '\{ds\}@snapshot-x': dataset already exists/ },
      { run: 'incus snapshot delete {} x', code: 1, says: /Instance_snapshot not found/ },
    ],
  },
  {
    name: 'an instance without its dataset does not start',
    steps: [
      { run: 'zfs rename {ds} {ds}-away' },
      { run: 'incus start {}', code: 1, says: /^Error: / },
      { run: 'zfs rename {ds}-away {ds}' },
    ],
  },
  {
    name: 'what does not run is not stopped, and what there is not is told',
    steps: [
      { run: 'incus stop {}', code: 1, says: /already stopped/ },
      { run: 'incus stop {}-nope', code: 1, says: /Instance not found/ },
    ],
  },
];

/** Registers the scenarios as tests, each with an instance of its own. */
export function incusContract(kind: string, open: () => Promise<IncusBench>): void {
  describe(`${kind} keeps the contract of Incus on ZFS`, () => {
    test.each(INCUS_SCENARIOS)('$name', async ({ steps }) => {
      const bench = await open();
      const full = (text: string) => text.replaceAll('{ds}', bench.dataset);
      const run: ZfsBench['run'] = async (argv) => {
        const answer = await bench.run(argv.map(full) as [string, ...string[]]);
        const short = (text: string) => text.replaceAll(bench.dataset, '{ds}');
        return { code: answer.code, stdout: short(answer.stdout), stderr: short(answer.stderr) };
      };
      const inner = {
        root: bench.root,
        run,
        put: (name: string, text: string) => bench.put(full(name), text),
        get: (name: string) => bench.get(full(name)),
      };
      expect(bench.dataset).toContain(bench.root);
      for (const step of steps) await take(inner, step);
    });
  });
}
