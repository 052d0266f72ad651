import { z } from 'zod';
import type { Command, CommandResult } from '../../tools/executors/src/engine/command.ts';
import { read, write } from '../../tools/executors/src/engine/command.ts';
import { MooringError, mustSucceed } from '../../tools/executors/src/engine/errors.ts';
import type { Fact } from '../../tools/executors/src/engine/fact.ts';
import { defineService, defineStage } from '../../tools/executors/src/engine/service.ts';

/** Settings of the model's service: one value. `broken` is one with which it dies. */
export type ModelSettings = { value: string };

/** A value that the service keeps beside its users' facts. */
function kept(key: string): Fact<string | undefined> {
  return {
    name: key,
    command: read(['model', 'get', key]),
    parse(result: CommandResult) {
      const [state, value] = mustSucceed(result, `could not read ${key}`).stdout.split('\n');
      if (state === 'present') return value;
      if (state === 'absent') return undefined;
      throw new MooringError(`the answer about ${key} is not understood`);
    },
  };
}

const put = (key: string, value: string): Command => write(['model', 'set', key, value]);

/** A service whose settings and data are values by key, in the instance's own file system. */
export const modelService = defineService<ModelSettings>({
  name: 'model',
  unit: 'model',
  settings: z.strictObject({ value: z.string() }),
  stages: [
    defineStage({
      name: 'packages',
      facts: () => ({ now: kept('package') }),
      plan: ({ now }: { now: string | undefined }) =>
        now === 'installed'
          ? []
          : [
              {
                resource: 'package model',
                action: 'create',
                impact: 'none',
                because: 'it is missing',
                commands: [put('package', 'installed')],
              },
            ],
    }),
    defineStage({
      name: 'config',
      facts: () => ({ now: kept('value'), unit: kept('unit') }),
      plan: ({ now, unit }: { now: string | undefined; unit: string | undefined }, { settings: { value } }) =>
        now === value && unit === value
          ? []
          : [
              {
                ...{ resource: 'value', action: 'update', before: now, after: value, impact: 'restart', because: 'it differs' },
                commands: [put('value', value), put('unit', value)],
                ...(now === undefined ? {} : { undo: [put('value', now)], afterUndo: [put('unit', now)] }),
              } as const,
            ],
    }),
  ],
  quiesce: { before: () => [write(['model', 'flush'])], after: () => [write(['model', 'flush'])], timeoutMs: 1000 },
  census: () => ({
    name: 'census',
    command: read(['model', 'count']),
    parse(result) {
      const count = Number(mustSucceed(result, 'the facts could not be counted').stdout);
      return { entries: [{ kind: 'store', name: 'facts', count, of: 'facts' }], proves: 'every fact was read' };
    },
  }),
  health: {
    inside: () => ({
      name: 'health',
      command: read(['model', 'health']),
      parse: (result) => ({ version: '1', detail: mustSucceed(result, 'the service is not healthy').stdout.trim() }),
    }),
    outside: async (_, connect) => {
      await connect(1);
      return { version: '1', detail: 'answers' };
    },
  },
});
