import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { appendAudit, BROKEN, readAudit, readDecisive } from '../../tools/executors/src/audit/audit.ts';
import type { Command } from '../../tools/executors/src/engine/command.ts';
import type { Fact } from '../../tools/executors/src/engine/fact.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import { holdLease } from '../../tools/executors/src/lease/hold.ts';
import { acquireLease, type Lease, LeaseHeldError, releaseLease, renewLease } from '../../tools/executors/src/lease/lease.ts';

/** The files of the host that is tested, as the test itself gets at them. */
export type StateFiles = {
  /** Where the environments' folders are. */
  readonly folder: string;
  read(path: string): string;
  write(path: string, text: string): void;
  exists(path: string): boolean;
  /** Permissions in octal. */
  mode(path: string): string;
  makeFolder(path: string): void;
  remove(path: string): void;
};

/** A folder of the test's own on this machine. */
function filesHere(): StateFiles {
  return {
    folder: mkdtempSync(join(tmpdir(), "mooring state $(x) 'é ")),
    read: (path) => readFileSync(path, 'utf8'),
    write: writeFileSync,
    exists: existsSync,
    mode: (path) => (statSync(path).mode & 0o777).toString(8),
    makeFolder: (path) => void mkdirSync(path),
    remove: (path) => rmSync(path, { recursive: true, force: true }),
  };
}

/**
 * The lease and the audit log on a host.
 *
 * @param files the host's; this machine's when left out
 */
export function stateContract(kind: string, open: () => Promise<OpenHost>, files: StateFiles = filesHere()): void {
  let host: OpenHost;
  const { folder } = files;
  const environment = 'contract';
  const state = (name: string) => join(folder, environment, name);
  beforeAll(async () => {
    host = await open();
  });
  afterEach(() => files.remove(join(folder, environment)));
  afterAll(async () => {
    await host.close();
    files.remove(folder);
  });

  const elsewhere = (command: Command): Command => ({
    ...command,
    argv: command.argv.map((word) => word.replace(/^\/var\/lib\/mooring(?=\/)/, folder)) as unknown as Command['argv'],
  });
  const run = async (commands: readonly Command[], order?: 'sequence') => host.run(commands.map(elsewhere), order);
  const ask = async <T>(fact: Fact<T>): Promise<T> => {
    const [result] = await run([fact.command]);
    if (result === undefined) throw new Error('no result');
    return fact.parse(result);
  };
  const request = (runId: string, more: { take?: string; who?: string } = {}) => ({
    environment,
    runId,
    who: 'mike',
    from: 'laptop',
    release: '0'.repeat(40),
    ...more,
  });
  const age = (seconds: number) => {
    const lease = JSON.parse(files.read(state('lease'))) as Lease;
    const older = { ...lease, since: lease.since - seconds, expires: lease.expires - seconds };
    files.write(state('lease'), `${JSON.stringify(older)}\n`);
  };

  describe(`a lease on a host (${kind})`, () => {
    test('is granted, joined by the same run, refused to another, given back', async () => {
      const first = await ask(acquireLease(request('run-1')));
      expect(first).toMatchObject({ state: 'granted', lease: { runId: 'run-1', who: 'mike', from: 'laptop' } });
      expect(first).toMatchObject({ now: expect.any(Number), lease: { since: first.now, expires: first.now + 60 } });
      expect(files.mode(state('lease'))).toBe('600');
      expect(files.mode(join(folder, environment))).toBe('700');
      age(30);
      const joined = await ask(acquireLease(request('run-1')));
      expect(joined).toMatchObject({ state: 'renewed', lease: { since: first.now - 30 }, previous: { runId: 'run-1' } });
      expect(await ask(acquireLease(request('run-2')))).toMatchObject({ state: 'held', holder: { runId: 'run-1' } });
      await run([releaseLease(environment, 'run-2')]);
      expect(files.exists(state('lease'))).toBe(true);
      await run([releaseLease(environment, 'run-1')]);
      expect(files.exists(state('lease'))).toBe(false);
      expect(await ask(acquireLease(request('run-2')))).toMatchObject({ state: 'granted' });
    });

    test('one that has run out is taken over, and the answer says from whom', async () => {
      await ask(acquireLease(request('run-1')));
      age(45);
      expect(await ask(acquireLease(request('run-2')))).toMatchObject({ state: 'held' });
      age(16);
      expect(await ask(acquireLease(request('run-2')))).toMatchObject({
        state: 'expired',
        lease: { runId: 'run-2' },
        previous: { runId: 'run-1' },
      });
    });

    test('--lease-take takes it from the run that it names, and from no other', async () => {
      await ask(acquireLease(request('run-1')));
      expect(await ask(acquireLease(request('run-2', { take: 'run-3' })))).toMatchObject({ state: 'held' });
      expect(await ask(acquireLease(request('run-2', { take: 'run-1' })))).toMatchObject({ state: 'taken', previous: { runId: 'run-1' } });
      expect(await ask(renewLease(environment, 'run-1'))).toMatchObject({ runId: 'run-2' });
    });

    test('a renewal moves the end only, and a lease that is gone is not made anew', async () => {
      expect(await ask(renewLease(environment, 'run-1'))).toBe('gone');
      expect(files.exists(state('lease'))).toBe(false);
      await ask(acquireLease(request('run-1')));
      age(40);
      const before = JSON.parse(files.read(state('lease'))) as Lease;
      expect(await ask(renewLease(environment, 'run-1'))).toBe('renewed');
      const after = JSON.parse(files.read(state('lease'))) as Lease;
      expect(after).toEqual({ ...before, expires: after.expires });
      expect(after.expires - before.expires).toBeGreaterThanOrEqual(40);
    });

    test('of many that ask at once, one gets it', async () => {
      const facts = Array.from({ length: 12 }, (_, i) => acquireLease(request(`run-${i}`)));
      const results = await run(facts.map(({ command }) => command));
      const answers = facts.map((fact, i) => fact.parse(results[i] as never));
      expect(answers.map(({ state }) => state).sort()).toEqual(['granted', ...Array.from({ length: 11 }, () => 'held')]);
    });

    test('names are only text, whatever is in them', async () => {
      const who = `x","expires":1,"since":1} $(id) 'é\\ \n%s\\n`;
      const granted = await ask(acquireLease(request('run-1', { who })));
      expect(granted).toMatchObject({ lease: { who } });
      expect(await ask(renewLease(environment, 'run-1'))).toBe('renewed');
      expect(await ask(acquireLease(request('run-2')))).toMatchObject({ state: 'held', holder: { who } });
    });

    test('first in a sequence it stops the rest when another run holds it', async () => {
      await ask(acquireLease(request('run-1')));
      const results = await run([acquireLease(request('run-2')).command, { argv: ['true'], effect: 'read' }], 'sequence');
      expect(results.map(({ code }) => code)).toEqual([75]);
    });

    test('a file that is no lease is not overwritten', async () => {
      files.makeFolder(join(folder, environment));
      files.write(state('lease'), 'hello\n');
      await expect(ask(acquireLease(request('run-1')))).rejects.toThrow('exists but is not a lease');
      expect(files.read(state('lease'))).toBe('hello\n');
    });

    test('holdLease takes, refuses a second run, and gives back', async () => {
      const there = { ...host, run: run as OpenHost['run'] };
      const wait = { waitMs: 0, progress: () => {} };
      const held = await holdLease(there, request('run-1'), wait);
      await expect(holdLease(there, request('run-2'), wait)).rejects.toThrow(LeaseHeldError);
      await held.release();
      expect(held.signal.aborted).toBe(false);
      await (await holdLease(there, request('run-2'), wait)).release();
    });
  });

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
      expect(files.mode(join(folder, environment))).toBe('700');
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
      files.write(join(folder, environment), 'not a folder');
      await expect(ask(readAudit(environment, 10))).rejects.toThrow('could not be read');
      await expect(ask(readDecisive(environment))).rejects.toThrow('could not be read');
    });
  });

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
      files.makeFolder(join(folder, environment));
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
