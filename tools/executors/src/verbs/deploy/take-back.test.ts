import { describe, expect, it } from 'vitest';
import type { Change } from '../../engine/change.ts';
import { write } from '../../engine/command.ts';
import { SafetyError, UnhealthyError } from '../../engine/errors.ts';
import { failsOn } from '../status/rows.ts';
import { nextAfter, undoCommands, whatGoesBack } from './take-back.ts';

const change = (resource: string, more: Partial<Change> = {}): Change => ({
  resource,
  action: 'update',
  impact: 'none',
  because: 'it differs',
  commands: [],
  ...more,
});
const restart = write(['systemctl', 'restart', 'x']);
const restore = (name: string) => write(['restore', name]);

describe('what goes back', () => {
  const packages = change('packages');
  const [one, two] = ['one', 'two'].map((name) => change(name, { undo: [restore(name)] })) as [Change, Change];
  const unit = change('unit', { undo: [], afterUndo: [restart] });

  it('is everything behind the newest change that nothing undoes, newest first', () => {
    expect(whatGoesBack([one, packages, two, unit])).toEqual({ undone: [unit, two], stays: [one, packages] });
  });

  it('is nothing where the last change has no way back', () => {
    expect(whatGoesBack([one, packages])).toEqual({ undone: [], stays: [one, packages] });
  });

  it('is brought into force once, after all of it is there', () => {
    const reload = write(['systemctl', 'reload', 'x']);
    const file = change('file', { undo: [restore('file')], afterUndo: [reload, restart] });
    expect(undoCommands([unit, two, file]).map(({ argv }) => argv.join(' '))).toEqual([
      'restore two',
      'restore file',
      'systemctl reload x',
      'systemctl restart x',
    ]);
  });
});

describe('--fail-on', () => {
  it.each([
    ['degraded', ['healthy', 'degraded'], true],
    ['degraded', ['healthy', 'healthy'], false],
    ['unhealthy', ['healthy', 'degraded'], false],
    ['unhealthy', ['unhealthy'], true],
    ['unhealthy', ['unknown'], true],
    [undefined, ['unhealthy', 'unknown'], false],
  ] as const)('%s with %j: %s', (limit, healths, fails) => {
    expect(failsOn(limit, healths)).toBe(fails);
  });
});

describe('what to type after it was taken back', () => {
  it('is the way past, where a later stage was refused', () => {
    const next = 'the former name again, or --leave-behind=minio:bucket:veza-old';
    expect(nextAfter(new SafetyError('minio: bucket veza-old would be left behind', { next }))).toBe(next);
  });

  it('is the same command with other settings, where the service did not work: what to do about that is over', () => {
    const error = new UnhealthyError('RabbitMQ blocks all publishers', { next: 'rabbitmq-diagnostics status' });
    expect(nextAfter(error)).toBe('correct the settings, then run the same command again');
    expect(nextAfter(new Error('anything'))).toBe('correct the settings, then run the same command again');
  });
});
