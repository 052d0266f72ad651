import { describe, expect, it } from 'vitest';
import { judged, REFUSED, trial } from './trial.ts';

const fact = trial({ name: 'trial of x', path: '/etc/x', content: 'a\n', program: 'cat', seconds: 5 });
const answered = (code: number, stdout = '', stderr = '') => fact.parse({ command: fact.command, code, stdout, stderr });

describe('trial', () => {
  it('gives the content on stdin only', () => {
    expect(fact.command.stdin).toBe('a\n');
    expect(fact.command.effect).toBe('read');
  });

  it('gives a program with variables as it is written: systemd makes one $ of two', () => {
    const { command } = trial({
      name: 'x',
      path: '/etc/x',
      content: '',
      program: 'echo "${1%/main}" $$',
      parameters: ['$HOME'],
      seconds: 5,
    });
    expect(command.argv.slice(-2)).toEqual(['echo "$${1%/main}" $$$$', '$$HOME']);
  });

  it('tells taken, refused and unchanged apart', () => {
    expect(answered(0, 'maxmemory\n1\n')).toEqual({ state: 'taken', said: 'maxmemory\n1\n' });
    expect(answered(REFUSED, '', 'Bad directive\n')).toEqual({ state: 'refused', reason: 'Bad directive' });
    expect(answered(10)).toEqual({ state: 'unchanged' });
  });

  it('is not made with --skip-trial, and says so', () => {
    const skipped = answered(11);
    expect(fact.withoutTrial?.argv).toEqual(['sh', '-c', 'exit 11']);
    expect(judged(skipped, 'redis')).toEqual(['not tried beforehand: --skip-trial']);
    const refused = { state: 'refused', reason: 'x' } as const;
    expect(() => judged(refused, 'redis')).toThrow(
      expect.objectContaining({
        detail: { next: expect.stringMatching(/correct the settings .*; if they are right and the trial is wrong: --skip-trial$/) },
      }),
    );
  });

  it.each([1, 124, 137, 255])('takes exit code %i for "could not be tried"', (code) => {
    expect(answered(code, '', 'no room\n')).toEqual({ state: 'untried', because: 'no room' });
    expect(answered(code)).toEqual({ state: 'untried', because: expect.stringContaining('it took too long') });
  });

  it.each([
    [217, 'could not give the sandbox a user of its own (217/USER)'],
    [225, 'could not give the sandbox a network of its own (225/NETWORK)'],
    [226, 'could not give the sandbox a view of the file system of its own (226/NAMESPACE)'],
    [238, 'could not give the sandbox a folder (238/STATE_DIRECTORY)'],
    [243, 'could not give the sandbox the files that only some may read (243/CREDENTIALS)'],
  ])('tells what exit code %i of systemd means', (code, means) => {
    expect(judged(answered(code), 'redis')).toEqual([expect.stringContaining(means)]);
  });

  it('takes no exit code of systemd for an answer of the product', () => {
    const codes = Array.from({ length: 46 }, (_, i) => 200 + i);
    for (const code of codes) {
      expect(answered(code).state, String(code)).toBe('untried');
      expect(answered(code, 'half an answer\n').state, String(code)).toBe('untried');
    }
  });

  it('is refused by the plan in the words of the product; what could not be tried is a warning, on one line', () => {
    expect(() => judged({ state: 'refused', reason: 'Bad directive' }, 'redis')).toThrow(
      'redis does not take these settings, and none of them was written: Bad directive',
    );
    expect(judged({ state: 'untried', because: 'no bus\nno sandbox' }, 'redis')).toEqual([
      'could not be tried beforehand: no bus; no sandbox',
    ]);
    expect(judged({ state: 'taken', said: '' }, 'redis')).toEqual([]);
    expect(judged({ state: 'unchanged' }, 'redis')).toEqual([]);
  });
});
