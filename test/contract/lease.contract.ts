import { describe, expect, test } from 'vitest';
import { holdLease } from '../../tools/executors/src/lease/hold.ts';
import { acquireLease, type Lease, LeaseHeldError, releaseLease, renewLease } from '../../tools/executors/src/lease/lease.ts';
import type { StateHost } from './state.contract.ts';

/** One run at a time has the lease of an environment on a host. */
export function leaseContract(kind: string, { environment, files, folder, state, host, run, ask }: StateHost): void {
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
      expect(files.mode(folder)).toBe('700');
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
      files.makeFolder(folder);
      files.write(state('lease'), 'hello\n');
      await expect(ask(acquireLease(request('run-1')))).rejects.toThrow('exists but is not a lease');
      expect(files.read(state('lease'))).toBe('hello\n');
    });

    test('holdLease takes, refuses a second run, and gives back', async () => {
      const there = { ...host(), run };
      const wait = { waitMs: 0, progress: () => {} };
      const held = await holdLease(there, request('run-1'), wait);
      await expect(holdLease(there, request('run-2'), wait)).rejects.toThrow(LeaseHeldError);
      await held.release();
      expect(held.signal.aborted).toBe(false);
      await (await holdLease(there, request('run-2'), wait)).release();
    });
  });
}
