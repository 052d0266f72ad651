import { describe, expect, test } from 'vitest';
import type { Command } from '../../engine/command.ts';
import type { Run } from '../../shared/run.ts';
import type { Survey } from '../../shared/survey.ts';
import { HostDeploy } from './host-deploy.ts';

/** A deploy on a host that takes its time to write, and what happens in which order. */
function deployOn(code: number) {
  const order: string[] = [];
  const host = {
    run: async (commands: readonly Command[]) => {
      order.push('writing');
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('written');
      return commands.map((command) => ({ command, code, stdout: '', stderr: code === 0 ? '' : 'No space left on device' }));
    },
  };
  class LookedAt extends HostDeploy {
    override survey(): Promise<Survey> {
      return Promise.resolve({ host } as unknown as Survey);
    }
  }
  const run = { environment: { name: 'staging' }, runId: 'r1', who: 'mike@laptop', without: [] as readonly string[] } as Run;
  const deploy = new LookedAt(run, 'a', { release: async () => 'a'.repeat(40), look: [], lease: undefined, purpose: 'change' });
  return { order, deploy };
}

describe('that a deploy has started', () => {
  test('stands in the log before the first container, and each other one, is changed', async () => {
    const { order, deploy } = deployOn(0);
    await Promise.all(['one', 'two'].map(async (name) => order.push(`${name} ${(await deploy.started()) ?? 'is changed'}`)));
    await deploy.started();
    expect(order).toEqual(['writing', 'written', 'one is changed', 'two is changed']);
  });

  test('and could not be written changes nothing', async () => {
    const { deploy } = deployOn(1);
    await expect(deploy.started()).rejects.toThrow('that the deploy has started could not be written into the audit log');
  });
});
