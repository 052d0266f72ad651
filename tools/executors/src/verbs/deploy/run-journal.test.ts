import { describe, expect, test } from 'vitest';
import type { Command } from '../../engine/command.ts';
import type { Invocation } from '../../shared/run.ts';
import type { HostInspection } from './host-inspection.ts';
import { RunJournal } from './run-journal.ts';

/** A deploy on a host that takes its time to write, and what happens in which order. */
function journalOn(code: number) {
  const order: string[] = [];
  const host = {
    run: async (commands: readonly Command[]) => {
      order.push('writing');
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('written');
      return commands.map((command) => ({ command, code, stdout: '', stderr: code === 0 ? '' : 'No space left on device' }));
    },
  };
  const run = { environment: { name: 'staging' }, runId: 'r1', who: 'mike@laptop', without: [] as readonly string[] } as Invocation;
  const inspection = { name: 'a', survey: async () => ({ host }) } as unknown as HostInspection;
  return { order, journal: new RunJournal(run, inspection, async () => 'a'.repeat(40)) };
}

describe('that a deploy has started', () => {
  test('stands in the log before the first container, and each other one, is changed', async () => {
    const { order, journal } = journalOn(0);
    await Promise.all(['one', 'two'].map(async (name) => order.push(`${name} ${(await journal.started(undefined)) ?? 'is changed'}`)));
    await journal.started(undefined);
    expect(order).toEqual(['writing', 'written', 'one is changed', 'two is changed']);
  });

  test('and could not be written changes nothing', async () => {
    const { journal } = journalOn(1);
    await expect(journal.started(undefined)).rejects.toThrow('that the deploy has started could not be written into the audit log');
  });
});
