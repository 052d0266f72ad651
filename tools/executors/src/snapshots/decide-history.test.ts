import fc from 'fast-check';
import { expect, it } from 'vitest';
import { entry, set } from '../../../../test/sets.ts';
import { type DecideInput, decide } from './decide.ts';
import type { DeployEntry } from './history.ts';
import { compareSets, type SnapshotSet } from './set.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const C = 'c'.repeat(40);

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
