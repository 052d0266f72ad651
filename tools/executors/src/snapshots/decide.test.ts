import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecideHost, type DecideInput, decide } from './decide.ts';
import { type DeployEntry, deployHistory } from './history.ts';
import { compareSets, type SnapshotSet } from './set.ts';
import { timeOfSeconds } from './time.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const C = 'c'.repeat(40);

/** A whole set of `members`, cut at second `at` (which is also its txg, unless the clock was off). */
function set(id: string, name: string, at: number, members = ['redis', 'minio'], intended = members, clockOff = 0): SnapshotSet {
  const cutAt = timeOfSeconds(at + clockOff);
  return {
    ...{ id, name, release: name.slice(11, 51), environment: 'prod', tool: '0.1.0', intended, cutAt },
    missing: intended.filter((instance) => !members.includes(instance)),
    members: members.map((instance) => ({
      kind: 'zfs',
      instance,
      project: 'p',
      dataset: `tank/${instance}`,
      snapshot: name,
      cutAt,
      createtxg: at,
      used: 0,
      written: 0,
      holds: 0,
      clones: [],
    })),
  };
}

function entry(release: string, result: DeployEntry['result'], run: string, at: number, of?: string): DeployEntry {
  return { release, result, run, at: new Date(at * 1000).toISOString(), ...(of === undefined ? {} : { set: of }) };
}

/** Asks about a deploy of `release` by run `now`; sets newest first. */
function ask(
  release: string,
  sets: SnapshotSet[],
  history: DeployEntry[],
  { anyChangePlanned, ...more }: Partial<DecideHost & Pick<DecideInput, 'anyChangePlanned'>> = {},
) {
  const host = { host: 'local', points: { sets, taken: sets.map(({ name }) => name) }, history, existing: ['redis', 'minio'], ...more };
  return decide({ release, runId: 'now', hosts: [host], ...(anyChangePlanned === undefined ? {} : { anyChangePlanned }) });
}

/** A set as it is found on the one host. */
function onLocal(one: SnapshotSet) {
  return { id: one.id, name: one.name, parts: [{ host: 'local', set: one }] };
}

describe('a restore point', () => {
  it('is not needed where no container exists', () => {
    expect(ask(A, [], [], { existing: [] })).toEqual({ kind: 'nothing', because: 'no container exists yet, so there is nothing to lose' });
  });

  it('is cut at the first deploy over existing containers', () => {
    expect(ask(A, [], [])).toMatchObject({ kind: 'cut', name: `pre-deploy-${A}`, because: 'there is no restore point yet' });
  });

  it('A fails, again: the first one is used again', () => {
    const s1 = set('r1', `pre-deploy-${A}`, 10);
    for (const end of [[], [entry(A, 'failed', 'r1', 12, 'r1')]]) {
      expect(ask(A, [s1], [entry(A, 'started', 'r1', 9), ...end])).toEqual({
        ...{ kind: 'reuse', set: onLocal(s1) },
        because:
          'an unfinished deploy of aaaaaaaaaaaa cut pre-deploy-aaaaaaaaaaaa at 1970-01-01 00:00:10 UTC, and no deploy has completed since',
      });
    }
  });

  it('A, B, A: the old name does not count as a fresh one', () => {
    const sets = [set('r2', `pre-deploy-${B}`, 20), set('r1', `pre-deploy-${A}`, 10)];
    const history = [entry(A, 'ok', 'r1', 11, 'r1'), entry(B, 'ok', 'r2', 21, 'r2')];
    expect(ask(A, sets, history)).toEqual({
      ...{ kind: 'cut', name: `pre-deploy-${A}-2`, hosts: ['local'] },
      because:
        'the newest restore point, pre-deploy-bbbbbbbbbbbb, was cut before another release; the last completed release is bbbbbbbbbbbb',
    });
  });

  it('of the last completed release is cut only for a change, with a suffix', () => {
    const sets = [set('r1', `pre-deploy-${A}`, 10)];
    const history = [entry(A, 'ok', 'r1', 11, 'r1')];
    expect(ask(A, sets, history)).toMatchObject({ kind: 'lazy', name: `pre-deploy-${A}-2` });
    expect(ask(A, sets, history, { anyChangePlanned: false })).toMatchObject({ kind: 'lazy' });
    expect(ask(A, sets, history, { anyChangePlanned: true })).toMatchObject({ kind: 'cut', name: `pre-deploy-${A}-2` });
    expect(ask(A, [], [entry(A, 'ok', 'r1', 11)])).toMatchObject({ kind: 'lazy', name: `pre-deploy-${A}` });
  });

  it('A, B, rolled back to before B, B again: a fresh one, and never the one that the roll-back left', () => {
    const sets = [set('r3', `pre-rollback-${B}`, 30), set('r2', `pre-deploy-${B}`, 20), set('r1', `pre-deploy-${A}`, 10)];
    const deploys = [entry(A, 'ok', 'r1', 11, 'r1'), entry(B, 'ok', 'r2', 21, 'r2')];
    const history = [...deploys, entry(B, 'rolled-back', 'r3', 31, 'r2')];
    expect(ask(B, sets, history)).toMatchObject({ kind: 'cut', name: `pre-deploy-${B}-2` });
    expect(ask(B, sets.slice(1), history)).toMatchObject({ kind: 'cut', name: `pre-deploy-${B}-2` });
    expect(ask(A, sets.slice(1), history)).toMatchObject({ kind: 'cut', name: `pre-deploy-${A}-2` });
  });

  it('A, B fails, A again without a change, B again: what B had is older than the last completed deploy', () => {
    const sets = [set('r2', `pre-deploy-${B}`, 20), set('r1', `pre-deploy-${A}`, 10)];
    const failed = [entry(A, 'ok', 'r1', 11, 'r1'), entry(B, 'started', 'r2', 19), entry(B, 'failed', 'r2', 21, 'r2')];
    expect(ask(A, sets, failed)).toMatchObject({ kind: 'lazy' });
    expect(ask(B, sets, failed)).toMatchObject({ kind: 'reuse' });
    expect(ask(B, sets, [...failed, entry(A, 'ok', 'r3', 31)])).toMatchObject({
      kind: 'cut',
      name: `pre-deploy-${B}-2`,
      because: expect.stringMatching(/^a deploy has completed since pre-deploy-bbbbbbbbbbbb was cut/),
    });
  });

  it('is cut once a run, in whichever of its processes', () => {
    const own = set('now', `pre-deploy-${A}-2`, 20);
    expect(
      ask(A, [own], [entry(A, 'ok', 'r1', 11, 'r1')], { anyChangePlanned: true, existing: ['redis', 'minio', 'made-by-this-run'] }),
    ).toEqual({
      ...{ kind: 'reuse', set: onLocal(own), because: 'this run has cut pre-deploy-aaaaaaaaaaaa-2 already' },
    });
  });

  it('is not trusted when the audit log is lost', () => {
    expect(ask(A, [set('r1', `pre-deploy-${A}`, 10)], [])).toMatchObject({
      kind: 'cut',
      name: `pre-deploy-${A}-2`,
      because: expect.stringMatching(/^the audit log does not prove that no deploy has completed since pre-deploy-aaaaaaaaaaaa/),
    });
    expect(ask(A, [set('r1', `pre-deploy-${A}`, 10)], [entry(B, 'ok', 'r0', 5)])).toMatchObject({ kind: 'cut' });
  });

  it('is not trusted when the line that was cut off by a crash may be the end of its deploy', () => {
    const line = { run: 'r1', what: 'deploy', release: A, set: 'r1' };
    const started = { ...line, result: 'started', time: '1970-01-01T00:00:09.123456Z' };
    const broken = { run: '?', what: 'log', result: 'broken', time: started.time };
    const done = { run: 'r1', what: 'configure', result: 'ok', time: started.time };
    const s1 = set('r1', `pre-deploy-${A}`, 10);
    expect(ask(A, [s1], deployHistory([broken, started, done]))).toMatchObject({ kind: 'reuse' });
    expect(ask(A, [s1], deployHistory([started, done, broken]))).toMatchObject({ kind: 'cut' });
    expect(deployHistory([started, done, broken]).map(({ result }) => result)).toEqual(['started', 'broken']);
  });

  it('is not used again when it lacks a container', () => {
    const history = [entry(A, 'started', 'r1', 9)];
    expect(ask(A, [set('r1', `pre-deploy-${A}`, 10, ['redis'])], history)).toMatchObject({
      kind: 'cut',
      because: expect.stringMatching(/has no snapshot of minio/),
    });
    expect(ask(A, [set('r1', `pre-deploy-${A}`, 10, ['redis'], ['redis', 'minio'])], history)).toMatchObject({
      kind: 'cut',
      because: expect.stringMatching(/was not cut whole: minio is missing/),
    });
    expect(ask(A, [set('now', `pre-deploy-${A}`, 10, ['redis'], ['redis', 'minio'])], history)).toMatchObject({
      kind: 'cut',
      name: `pre-deploy-${A}-2`,
    });
  });

  it('has a name that nobody else has taken', () => {
    expect(ask(A, [], [], { points: { sets: [], taken: [`pre-deploy-${A}`] } })).toMatchObject({ name: `pre-deploy-${A}-2` });
  });
});

describe('a restore point of two hosts', () => {
  const here = (host: string, sets: SnapshotSet[], history: DeployEntry[], existing = [`on-${host}`]): DecideHost => ({
    ...{ host, points: { sets, taken: sets.map(({ name }) => name) } },
    ...{ history, existing },
  });
  const part = (id: string, name: string, host: string, other: string): SnapshotSet => ({
    ...set(id, name, 10, [`on-${host}`]),
    elsewhere: [`on-${other}@${other}`],
  });
  const onBoth = (id: string, name: string) => [part(id, name, 'one', 'two'), part(id, name, 'two', 'one')] as const;
  const deciding = (release: string, ...hosts: DecideHost[]) => decide({ release, runId: 'now', hosts });

  it('is used again where it is the newest on both, and serves on both', () => {
    const [one, two] = onBoth('r1', `pre-deploy-${A}`);
    const log = [entry(A, 'started', 'r1', 9)];
    expect(deciding(A, here('one', [one], log), here('two', [two], log))).toMatchObject({
      kind: 'reuse',
      set: { id: 'r1', parts: [{ host: 'one' }, { host: 'two' }] },
    });
    expect(deciding(A, here('one', [one], log), here('two', [], log))).toMatchObject({
      ...{ kind: 'cut', name: `pre-deploy-${A}-2`, hosts: ['one', 'two'] },
      because: 'one: pre-deploy-aaaaaaaaaaaa was not cut whole: on-two@two is missing from it; two: there is no restore point yet',
    });
  });

  it('is not two that older versions cut in different runs, though each serves on its host', () => {
    const one = here('one', [set('r1', `pre-deploy-${A}`, 10, ['on-one'])], [entry(A, 'started', 'r1', 9)]);
    const two = here('two', [set('r2', `pre-deploy-${A}`, 10, ['on-two'])], [entry(A, 'started', 'r2', 9)]);
    expect(deciding(A, one, two)).toMatchObject({
      ...{ kind: 'cut', name: `pre-deploy-${A}-2` },
      because: 'the newest restore points of its hosts were not cut together',
    });
  });

  it('is not asked of a host that has nothing to lose', () => {
    const one = here('one', [], [entry(A, 'ok', 'r1', 9)]);
    expect(deciding(B, one, here('two', [], [], []))).toMatchObject({ kind: 'cut', hosts: ['one'] });
    expect(deciding(B, here('one', [], [], []), here('two', [], [], []))).toMatchObject({ kind: 'nothing' });
  });

  it('is cut where the release is the last completed one on one host only', () => {
    const one = here('one', [], [entry(B, 'ok', 'r1', 9)]);
    const two = here('two', [], [entry(A, 'ok', 'r0', 5)]);
    expect(deciding(B, one, two)).toMatchObject({
      kind: 'cut',
      because: 'there is no restore point yet; the last completed release is bbbbbbbbbbbb on one, aaaaaaaaaaaa on two',
    });
  });

  it('knows that a run which was killed between its ends has completed on both, and left none out', () => {
    const started = entry(B, 'started', 'r1', 9);
    const end = entry(B, 'ok', 'r1', 10);
    const before = entry(A, 'ok', 'r0', 5);
    const two = here('two', [], [before, started]);
    expect(deciding(B, here('one', [], [before, started, end]), two)).toMatchObject({ kind: 'lazy' });
    expect(deciding(B, here('one', [], [before, started, { ...end, without: ['two'] }]), two)).toMatchObject({ kind: 'cut' });
  });

  it('that another process of this run is cutting is cut on the host where it is not yet, under its name', () => {
    const [one, two] = onBoth('now', `pre-deploy-${A}-3`);
    expect(deciding(A, here('one', [one], []), here('two', [], []))).toMatchObject({
      ...{ kind: 'cut', name: `pre-deploy-${A}-3`, hosts: ['two'] },
    });
    expect(deciding(A, here('one', [one], []), here('two', [two], []))).toMatchObject({ kind: 'reuse', set: { id: 'now' } });
  });
});

type Step = {
  readonly release: string;
  readonly changes: boolean;
  readonly creates: boolean;
  readonly end: 'ok' | 'failed' | 'killed first' | 'killed after the cut' | 'killed in the change' | 'cut fails half way';
  readonly before: 'nothing' | 'log lost' | 'log rotated' | 'newest set destroyed by hand';
  readonly clockOff: number;
};

const steps = fc.array(
  fc.record<Step>({
    release: fc.constantFrom(A, B, C),
    changes: fc.boolean(),
    creates: fc.boolean(),
    end: fc.constantFrom('ok', 'ok', 'failed', 'killed first', 'killed after the cut', 'killed in the change', 'cut fails half way'),
    before: fc.constantFrom('nothing', 'nothing', 'nothing', 'nothing', 'log lost', 'log rotated', 'newest set destroyed by hand'),
    clockOff: fc.constantFrom(0, 0, -40, 40),
  }),
  { minLength: 1, maxLength: 12 },
);

/** A host, as far as restore points and the log go, with what is true of it beside what it can tell. */
class World {
  now = 1000;
  sets: SnapshotSet[] = [];
  log: DeployEntry[] = [];
  containers: string[] = [];
  completedAt = -1;
  previous: Step | undefined;
  runs = 0;

  deploy(step: Step): void {
    if (step.before === 'log lost') this.log = [];
    if (step.before === 'log rotated') this.log = this.log.slice(this.log.length / 2);
    if (step.before === 'newest set destroyed by hand') this.sets = this.sets.slice(1);
    const runId = `run-${this.runs++}`;
    const existing = [...this.containers];
    const question = (more: Pick<DecideInput, 'anyChangePlanned'> = {}) => {
      const points = { sets: this.sets, taken: this.sets.map(({ name }) => name) };
      return decide({ release: step.release, runId, hosts: [{ host: 'local', points, history: this.log, existing }], ...more });
    };
    let decision = question();
    this.expectNoNeedlessCut(step, decision.kind);
    this.previous = step;
    if (step.end === 'killed first') return;
    this.log.push(entry(step.release, 'started', runId, this.now++ + step.clockOff));
    if (decision.kind === 'lazy' && step.changes) decision = question({ anyChangePlanned: true });
    let used = decision.kind === 'reuse' ? decision.set.id : undefined;
    if (decision.kind === 'cut') {
      const half = step.end === 'cut fails half way' && existing.length > 1;
      const { name } = decision;
      expect(this.sets.map((one) => one.name)).not.toContain(name);
      used = runId;
      const cut = set(runId, name, this.now++, half ? existing.slice(1) : existing, existing, step.clockOff);
      this.sets = [...this.sets, cut].sort((a, b) => compareSets(b, a));
      if (half) return void this.log.push(entry(step.release, 'failed', runId, this.now++, undefined));
      expect(question({ anyChangePlanned: step.changes })).toMatchObject({ kind: 'reuse', set: { id: runId } });
    }
    if (step.end === 'killed after the cut') return;
    if (step.changes) this.change(existing, step.creates);
    if (step.end === 'killed in the change') return;
    const ok = step.end === 'ok';
    this.log.push(entry(step.release, ok ? 'ok' : 'failed', runId, this.now++ + step.clockOff, used));
    if (ok) this.completedAt = this.now++;
  }

  /** The promise: before the first change there is a restore point of all that existed, newer than the last completed deploy. */
  private change(existing: readonly string[], creates: boolean): void {
    const covers = (one: SnapshotSet) =>
      existing.every((instance) =>
        one.members.some((member) => member.instance === instance && (member.createtxg ?? 0) > this.completedAt),
      );
    if (existing.length > 0) expect(this.sets.some(covers)).toBe(true);
    if (creates) this.containers.push(`c${this.containers.length}`);
  }

  private expectNoNeedlessCut(step: Step, kind: string): void {
    const last = this.previous;
    if (last === undefined || this.containers.length === 0 || step.before !== 'nothing' || step.release !== last.release || last.creates)
      return;
    if (last.end === 'ok') expect(kind).toBe('lazy');
    if (last.end === 'failed' || last.end === 'killed after the cut') expect(['reuse', 'lazy']).toContain(kind);
  }
}

it('in any history, a restore point newer than the last completed deploy is there before the first change, and none is cut twice', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const world = new World();
      for (const step of history) world.deploy(step);
    }),
    { numRuns: 2000 },
  );
});
