import { describe, expect, test } from 'vitest';
import { appendAudit, BROKEN, readAudit, readDecisive } from '../../tools/executors/src/audit/audit.ts';
import type { StateHost } from './state.contract.ts';

/** What is appended to the audit log of an environment on a host is read back. */
export function auditContract(kind: string, { environment, files, folder, state, run, ask }: StateHost): void {
  describe(`the audit log on a host (${kind})`, () => {
    const entry = (more = {}) => ({ run: 'run-1', who: 'mike@laptop', what: 'configure', result: 'ok', ...more });

    test('no log is no entry', async () => {
      expect(await ask(readAudit(environment, 10))).toEqual([]);
    });

    test('entries are appended, stamped by the host, and read back, the last ones only', async () => {
      const changes = ["role 'veza' $(id)", '{"time":"x"}', 'é🛟\n\\n&/'];
      await run([appendAudit(environment, [entry({ changes }), entry({ container: 'c-1' })])]);
      await run([appendAudit(environment, [entry({ result: 'failed' })])]);
      const entries = await ask(readAudit(environment, 10));
      expect(entries.map(({ time, ...rest }) => rest)).toEqual([
        entry({ changes }),
        entry({ container: 'c-1' }),
        entry({ result: 'failed' }),
      ]);
      for (const { time } of entries) expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
      expect(await ask(readAudit(environment, 1))).toEqual(entries.slice(-1));
      expect(files.mode(state('audit.jsonl'))).toBe('600');
      expect(files.mode(folder)).toBe('700');
    });

    test('many writers at once lose nothing, also with long entries', async () => {
      const detail = 'x'.repeat(200_000);
      await run(Array.from({ length: 10 }, (_, i) => appendAudit(environment, [entry({ run: `a${i}`, detail }), entry({ run: `b${i}` })])));
      const entries = await ask(readAudit(environment, 100));
      expect(entries.map(({ run }) => run).sort()).toEqual([...'0123456789'].flatMap((i) => [`a${i}`, `b${i}`]).sort());
      expect(entries.filter(({ result }) => result === BROKEN)).toEqual([]);
    });

    test('a last line that a crash cut off costs nothing but itself', async () => {
      await run([appendAudit(environment, [entry()])]);
      const whole = files.read(state('audit.jsonl'));
      files.write(state('audit.jsonl'), `${whole}${whole.slice(0, 30)}\0\0`);
      expect((await ask(readAudit(environment, 10))).map(({ result }) => result)).toEqual(['ok', BROKEN]);
      await run([appendAudit(environment, [entry()])]);
      expect((await ask(readAudit(environment, 10))).map(({ result }) => result)).toEqual(['ok', BROKEN, 'ok']);
    });

    test('a log that cannot be looked at is a failure, not an empty one', async () => {
      files.write(folder, 'not a folder');
      await expect(ask(readAudit(environment, 10))).rejects.toThrow('could not be read');
      await expect(ask(readDecisive(environment))).rejects.toThrow('could not be read');
    });
  });
}

/** What decisions need of the log is found, however long it is. */
export function decisiveContract(kind: string, { environment, files, folder, state, run, ask }: StateHost): void {
  describe(`what decisions need of the audit log (${kind})`, () => {
    const base = { run: 'run-1', who: 'mike@laptop' };
    const deployed = (run: string, more = {}) => ({ ...base, run, release: 'a'.repeat(40), what: 'deploy', result: 'ok', ...more });
    const known = (container: string, more = {}) => ({ ...base, what: 'provision', container, result: 'ok', ...more });
    const timeless = async () => (await ask(readDecisive(environment))).map(({ time, ...rest }) => rest);
    const stamped = (entries: readonly object[]) =>
      entries.map((one) => `${JSON.stringify({ time: '2026-11-23T05:00:00.123456Z', ...one })}\n`).join('');

    test('no log is no entry', async () => {
      expect(await timeless()).toEqual([]);
    });

    test('2,000 other entries later it is all there, in its order, and the others are not', async () => {
      const first = [known('c-1'), deployed('run-1', { result: 'started' }), deployed('run-1', { set: 'run-1' }), known('c-2')];
      await run([appendAudit(environment, first)]);
      const others = Array.from({ length: 1999 }, (_, i) => ({
        ...base,
        run: `drill-${i}`,
        what: 'drill',
        container: 'c-1',
        result: 'ok',
      }));
      await run([appendAudit(environment, others)]);
      await run([appendAudit(environment, [{ ...base, what: 'prune', result: 'ok', changes: ['"what":"deploy","result":"ok"'] }])]);
      expect(await timeless()).toEqual(first);
      expect(files.mode(state('index'))).toBe('600');
    });

    test('of a container it is the last line, without the sentences of what was changed; of each kind of end the last 200', async () => {
      await run([
        appendAudit(environment, [known('c-1', { changes: ['x'.repeat(1000)] }), known('c-1', { what: 'configure', changes: ['y'] })]),
      ]);
      await run([appendAudit(environment, [deployed('over', { set: 'over' })])]);
      const ends = Array.from({ length: 250 }, (_, i) => deployed(`end-${i}`));
      const failed = Array.from({ length: 250 }, (_, i) => deployed(`failed-${i}`, { result: 'failed' }));
      await run([appendAudit(environment, [...ends, ...failed])]);
      expect(await timeless()).toEqual([
        known('c-1', { what: 'configure' }),
        deployed('over', { set: 'over' }),
        ...ends.slice(50),
        ...failed.slice(50),
      ]);
    });

    test('an index that is missing, torn, or was not brought up to the log by a killed writer lacks nothing', async () => {
      const entries = [known('c-1'), deployed('run-1', { set: 'run-1' }), known('c-2')];
      await run([appendAudit(environment, entries)]);
      const index = files.read(state('index'));
      for (const torn of ['', '9', index.slice(0, -20), index.replace(/.*\n$/, ''), `x${index}`, `99999999999 1\n${'\0'.repeat(40)}\n`]) {
        files.write(state('index'), torn);
        expect(await timeless()).toEqual(entries);
      }
      files.remove(state('index'));
      expect(await timeless()).toEqual(entries);
      await run([appendAudit(environment, [deployed('run-2')])]);
      expect(await timeless()).toEqual([...entries, deployed('run-2')]);
      files.write(state('index'), index);
      expect(await timeless()).toEqual([...entries, deployed('run-2')]);
      await run([appendAudit(environment, [deployed('run-3')])]);
      expect(await timeless()).toEqual([...entries, deployed('run-2'), deployed('run-3')]);
    });

    test('a host that has only a log, of a version without an index, has all of it', async () => {
      files.makeFolder(folder);
      files.write(
        state('audit.jsonl'),
        stamped([known('c-1'), ...Array.from({ length: 600 }, () => ({ ...base, what: 'lease', result: 'ok' }))]),
      );
      expect(await timeless()).toEqual([known('c-1')]);
    });

    test('a log that is cut or taken away by hand leaves what the index knows, and what is read twice counts once', async () => {
      await run([appendAudit(environment, [known('c-1'), deployed('run-1', { set: 'run-1' })])]);
      const log = files.read(state('audit.jsonl'));
      await run([appendAudit(environment, [deployed('run-2')])]);
      const all = [known('c-1'), deployed('run-1', { set: 'run-1' }), deployed('run-2')];
      files.write(state('audit.jsonl'), log);
      expect(await timeless()).toEqual(all);
      files.remove(state('audit.jsonl'));
      expect(await timeless()).toEqual(all);
      await run([appendAudit(environment, [deployed('run-3')])]);
      expect(await timeless()).toEqual([...all, deployed('run-3')]);
    });

    test('a line that a crash cut off is told in its place, and stays', async () => {
      await run([appendAudit(environment, [deployed('run-1')])]);
      const whole = files.read(state('audit.jsonl'));
      files.write(state('audit.jsonl'), `${whole}${whole.slice(0, 60)}\0\0`);
      expect((await timeless()).map(({ result }) => result)).toEqual(['ok', BROKEN]);
      await run([appendAudit(environment, [deployed('run-2')])]);
      await run([appendAudit(environment, [deployed('run-3', { result: 'failed' })])]);
      expect((await timeless()).map(({ result }) => result)).toEqual(['ok', BROKEN, 'ok', 'failed']);
    });
  });
}
