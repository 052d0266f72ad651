import { describe, expect, it } from 'vitest';
import { read, write } from '../engine/command.ts';
import { MooringError, SafetyError } from '../engine/errors.ts';
import { type QuiesceHook, quiesced, type RunInInstances } from './quiesce.ts';

const hook = (instance: string): QuiesceHook => ({
  instance,
  before: [write(['checkpoint', instance])],
  after: [write(['thaw', instance])],
  timeoutMs: 500,
});

function instances(fail: Record<string, number | Error> = {}) {
  const log: string[] = [];
  const run: RunInInstances = async (parts) =>
    parts.map(({ commands }) => {
      const name = commands[0]?.argv.join(' ') ?? '';
      log.push(name);
      const failure = fail[name] ?? 0;
      if (failure instanceof Error) return failure;
      return commands.map((command) => ({ command, code: failure, stdout: '', stderr: failure === 0 ? '' : 'no such thing' }));
    });
  const cut = async () => {
    log.push('cut');
    return 'set';
  };
  return { log, run, cut };
}

describe('quiesced', () => {
  it('runs before, cut, after', async () => {
    const { log, run, cut } = instances();
    expect(await quiesced([hook('a'), hook('b'), { ...hook('c'), before: [], after: [] }], run, 'error', cut)).toEqual({
      value: 'set',
      warnings: [],
    });
    expect(log).toEqual(['checkpoint a', 'checkpoint b', 'cut', 'thaw a', 'thaw b']);
  });

  it('gives each command the timeout, or less', async () => {
    const seen: (number | undefined)[] = [];
    const one = { ...hook('a'), before: [read(['x']), read(['y'], { timeoutMs: 10 }), read(['z'], { timeoutMs: 9999 })], after: [] };
    await quiesced(
      [one],
      async (parts) => {
        seen.push(...parts.flatMap(({ commands }) => commands.map(({ timeoutMs }) => timeoutMs)));
        return parts.map(() => []);
      },
      'error',
      async () => 0,
    );
    expect(seen).toEqual([500, 10, 500]);
  });

  it('cuts all the same when a hook fails, and says so', async () => {
    const { log, run, cut } = instances({ 'checkpoint a': 1, 'checkpoint b': new Error('gone'), 'thaw a': 124 });
    expect((await quiesced([hook('a'), hook('b')], run, 'warning', cut)).warnings).toEqual([
      'a, before the cut: checkpoint a failed (exit code 1): no such thing',
      'b, before the cut: gone',
      'a, after the cut: thaw a took longer than 500 ms',
    ]);
    expect(log).toEqual(['checkpoint a', 'checkpoint b', 'cut', 'thaw a', 'thaw b']);
  });

  it('asks all containers in one round trip, and cuts all the same when their host was lost', async () => {
    let asked = 0;
    const lost: RunInInstances = async () => {
      asked++;
      throw new Error('the connection was lost');
    };
    const { warnings } = await quiesced([hook('a'), { ...hook('b'), after: [] }], lost, 'warning', async () => 0);
    expect(warnings).toEqual(['a, before', 'b, before', 'a, after'].map((who) => `${who} the cut: the connection was lost`));
    expect(asked).toBe(2);
  });

  it('does not cut when a hook fails and that is an error; after runs', async () => {
    const { log, run, cut } = instances({ 'checkpoint a': 1 });
    await expect(quiesced([hook('a'), hook('b')], run, 'error', cut)).rejects.toThrow(MooringError);
    expect(log).toEqual(['checkpoint a', 'checkpoint b', 'thaw a', 'thaw b']);
  });

  it('runs after when the cut fails, and loses neither message', async () => {
    const { log, run } = instances({ 'thaw b': 1 });
    const failing = quiesced([hook('a'), hook('b')], run, 'error', async () => {
      throw new SafetyError('cut failed', { next: 'try again' });
    });
    await expect(failing).rejects.toMatchObject({
      message: 'cut failed',
      detail: { next: 'try again; b, after the cut: thaw b failed (exit code 1): no such thing' },
    });
    expect(log).toEqual(['checkpoint a', 'checkpoint b', 'thaw a', 'thaw b']);
  });
});
