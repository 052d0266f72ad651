import { describe, expect, it } from 'vitest';
import { write } from '../engine/command.ts';
import type { ManagedFile } from './managed-file.ts';
import { isNewer, managedUnit, planUnit, unread } from './managed-unit.ts';

const file: ManagedFile = { kind: 'file', path: '/etc/app.conf', content: 'port 1\n', mode: '0640', owner: 'app:app' };
const bring = (verb: string) => write([verb]);
const plan = (state: { active: string; enabled: string; needsReload?: boolean }, because?: string) =>
  planUnit({ unit: 'app.service', state, bring }, because);
const words = (changes: ReturnType<typeof plan>) =>
  changes.map(({ action, commands, because }) => [action, ...commands.map((c) => ('argv' in c ? c.argv.join(' ') : '')), because]);

describe('a unit', () => {
  it('that runs and comes back with its container needs nothing', () => {
    expect(plan({ active: 'active', enabled: 'enabled' })).toEqual([]);
  });

  it.each([
    ['inactive', 'start'],
    ['failed', 'start'],
    ['activating', 'restart'],
  ])('that is %s is brought up by a %s', (active, verb) => {
    const changes = plan({ active, enabled: 'enabled' });
    expect(words(changes)).toEqual([['update', verb, 'the service is not running']]);
    expect(changes).toMatchObject([{ before: active, after: 'active', impact: 'restart' }]);
  });

  it('is restarted where there is a reason, and again once the former files are back', () => {
    const [change] = plan({ active: 'active', enabled: 'enabled' }, 'it reads its files at its start only');
    expect(change).toMatchObject({
      action: 'restart',
      because: 'it reads its files at its start only',
      undo: [],
      afterUndo: [{ argv: ['restart'] }],
    });
  });

  it.each([
    ['disabled', [], ['systemctl disable -q app.service']],
    ['masked', ['systemctl unmask -q app.service'], ['systemctl mask -q app.service']],
    ['masked-runtime', ['systemctl unmask -q --runtime app.service'], ['systemctl mask -q --runtime app.service']],
    ['static', [], []],
  ])('that is %s is enabled, and is made so again when that is taken back', (enabled, unmask, undo) => {
    const changes = plan({ active: 'active', enabled });
    expect(words(changes)).toEqual([
      ['update', ...unmask, 'systemctl enable -q app.service', 'the service would not come back with the container'],
    ]);
    expect(changes[0]?.undo?.map(({ argv }) => argv.join(' '))).toEqual(undo);
  });

  it('whose file systemd has not read is reloaded, then restarted', () => {
    expect(words(plan({ active: 'active', enabled: 'enabled', needsReload: true }))).toEqual([
      ['update', 'systemctl daemon-reload', 'systemd has not read the file since it changed'],
      ['restart', 'restart', 'systemd has not read its file since it changed'],
    ]);
  });
});

describe('a unit that reads its files at its start only', () => {
  const unit = { active: 'active', enabled: 'enabled', needsReload: false, started: 100, now: 200 };
  const found = { kind: 'file', same: true, mode: '0640', owner: 'app:app', changed: 50 } as const;

  it('runs with them', () => {
    expect(unread([file], { [file.path]: found }, unit)).toBeUndefined();
  });
  it('has to be restarted for another content, and for a file that is not there', () => {
    expect(unread([file], { [file.path]: { ...found, same: false } }, unit)).toBe('it reads its files at its start only');
    expect(unread([file], { [file.path]: null }, unit)).toBe('it reads its files at its start only');
  });
  it('has to be restarted where a run ended between the file and the restart', () => {
    expect(unread([file], { [file.path]: { ...found, changed: 150 } }, unit)).toBe('it runs since before /etc/app.conf changed');
  });
  it('goes on when only mode or owner is another', () => {
    expect(unread([file], { [file.path]: { ...found, mode: '0644' } }, unit)).toBeUndefined();
  });
  it('a time in the future is a clock that was set back', () => {
    expect(isNewer(250, unit, 200)).toBe(false);
  });
});

describe('what systemd says', () => {
  const fact = managedUnit('app.service');
  const said = (stdout: string, code = 0) => fact.parse({ command: fact.command, code, stdout, stderr: '' });
  const recorded = 'Now=200\nExecMainStartTimestamp=@100\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n';

  it('is read', () => {
    expect(said(recorded)).toEqual({ active: 'active', enabled: 'enabled', needsReload: false, started: 100, now: 200 });
  });
  it('of a unit that is not there, and of a timer, which has no process', () => {
    const state = { active: 'inactive', enabled: '', needsReload: false, started: undefined, now: 200 };
    expect(said('Now=200\nExecMainStartTimestamp=\nActiveState=inactive\nUnitFileState=\nNeedDaemonReload=no\n')).toEqual(state);
    expect(said('Now=200\nActiveState=inactive\nUnitFileState=\nNeedDaemonReload=no\n')).toEqual(state);
  });
  it.each([
    ['no time', recorded.replace(/^Now.*\n/, '')],
    ['no state', recorded.replace(/^ActiveState.*\n/m, '')],
    ['a word that is not known', recorded.replace('=no\n', '=perhaps\n')],
  ])('is refused with %s', (_, text) => {
    expect(() => said(text)).toThrow('unit app.service: unexpected');
  });
  it('a failed command is no state', () => {
    expect(() => said('', 1)).toThrow('systemd did not report the state of app.service');
  });
});
