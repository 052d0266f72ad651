import { expect, it } from 'vitest';
import { settings } from '../../../../test/app-settings.ts';
import type { Fact } from '../engine/fact.ts';
import type { Managed } from '../services/managed-file.ts';
import { managedFiles } from '../services/managed-look.ts';
import { headFact, releasesFact } from './deploy/commands.ts';
import { inside } from './health.ts';
import { renderKnownHosts } from './layout/files.ts';
import { parseUnits } from './layout/units-facts.ts';

const parse = <T>(fact: Fact<T>, stdout: string, code = 0, stderr = '') => fact.parse({ command: fact.command, code, stdout, stderr });
const commit = 'a'.repeat(40);

it('releases: none, some, and what is not understood', () => {
  expect(parse(releasesFact, 'none\n')).toEqual({ script: undefined, current: undefined, releases: [] });
  const script = 'f'.repeat(64);
  expect(parse(releasesFact, `${script}  /usr/local/bin/deploy_app.sh\ncurrent\t\n`)).toEqual({ script, current: undefined, releases: [] });
  const lines = `current\tb\nrelease\ta\t${commit}\tgood\t\t100\nrelease\tb\t${commit}\tactivating\ta\t\nrelease\tc\t\tbuilding\t\t\n`;
  expect(parse(releasesFact, `${script}  x\n${lines}`)).toEqual({
    script,
    current: 'b',
    releases: [
      { id: 'a', commit, state: 'good', before: undefined, goodSince: 100 },
      { id: 'b', commit, state: 'activating', before: 'a', goodSince: undefined },
      { id: 'c', commit: undefined, state: 'building', before: undefined, goodSince: undefined },
    ],
  });
  expect(() => parse(releasesFact, `${script}  x\ncurrent\tb\nrelease\ta\t${commit}\tfine\t\t\n`)).toThrow(
    'unexpected line about a release',
  );
  expect(() => parse(releasesFact, '')).toThrow('not understood');
  expect(() => parse(releasesFact, '', 1)).toThrow('could not be looked at');
});

it('the newest commit is known, or it is said what to check', () => {
  expect(parse(headFact, `${commit}\n`)).toBe(commit);
  expect(() => parse(headFact, 'main\n')).toThrow('not understood');
  expect(() => parse(headFact, '', 1, 'Host key verification failed.')).toThrow('the newest commit of the branch is not known');
});

it('the health check is healthy only if the script says so', () => {
  const fact = inside({ settings: settings('node'), context: { environment: 'dev', instance: 'g', clientNetworks: [], artifacts: {} } });
  expect(parse(fact, '204 {}\n')).toEqual({ version: 'node', detail: '/health answers 204' });
  expect(() => parse(fact, '', 1, 'http://127.0.0.1:3001/health answers 500: broken')).toThrow('notes is not healthy');
});

it('units: every one that was asked for, or an error', () => {
  const block = (id: string) =>
    `Id=${id}\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\nExecMainStartTimestamp=@1790000000\n`;
  const text = `now 1790000100\nlive yes\nours /etc/systemd/system/a.service\n${block('a.service')}\n${block('b.service').replace('@1790000000', '')}`;
  const running = { active: 'active', enabled: 'enabled', needsReload: false };
  expect(parseUnits(text, ['a.service', 'b.service'])).toEqual({
    units: { 'a.service': { ...running, started: 1_790_000_000 }, 'b.service': { ...running, started: undefined } },
    ours: ['/etc/systemd/system/a.service'],
    live: true,
    now: 1_790_000_100,
  });
  expect(() => parseUnits(text, ['a.service', 'c.service'])).toThrow('systemd says nothing about c.service');
  expect(() => parseUnits(`${text}what?\n`, [])).toThrow('unexpected line about units');
});

it('files: what is there, told apart; their content never in an argument', () => {
  const wanted: Managed[] = [
    { kind: 'file', path: '/a', content: 'hunter2-hunter2', mode: '0600', owner: 'root:root' },
    { kind: 'folder', path: '/b', mode: '0755', owner: 'root:root' },
    { kind: 'link', path: '/c', target: 'd' },
  ];
  const fact = managedFiles(wanted);
  expect(JSON.stringify(fact.command)).not.toMatch(/hunter2|aHVudGVy/);
  expect(parse(fact, 'file\t/a\t0600\troot:root\t1790000000\tdiffers\nnone\t/b\nlink\t/c\td\n')).toEqual({
    '/a': { kind: 'file', mode: '0600', owner: 'root:root', changed: 1_790_000_000, same: false },
    '/b': null,
    '/c': { kind: 'link', target: 'd' },
  });
  expect(() => parse(fact, 'none\t/a\nnone\t/b\n')).toThrow('is not whole');
  expect(() => parse(fact, 'none\t/a\nnone\t/x\nnone\t/c\n')).toThrow('unexpected line about a file');
});

it.each([
  ['git@git.example.org:team/a.git', 'git.example.org '],
  ['ssh://git@git.example.org/a', 'git.example.org '],
  ['ssh://git@git.example.org:22/a', 'git.example.org '],
  ['ssh://git@git.example.org:2222/a', '[git.example.org]:2222 '],
])('the host keys of %s are those of its host', (repository, begin) => {
  const [, line, ...rest] = renderKnownHosts(settings('node', { repository })).split('\n');
  expect(line).toBe(`${begin}ssh-ed25519 ${'A'.repeat(68)}`);
  expect(rest).toEqual(['']);
});
