import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../engine/command.ts';
import { desiredFiles, fingerprint } from './files.ts';
import { nodeFact } from './node.ts';
import { settings } from './settings.ts';

const fact = nodeFact(true);
const said = (stdout: string, code = 0): CommandResult => ({ command: fact.command, code, stdout, stderr: '' });
const recorded = (version: string): string =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'transcripts', `${version}.json`), 'utf8')).node;

describe.each([
  ['3.10.8', 'rabbit@localhost'],
  ['4.0.5', 'rabbit@localhost'],
])('what RabbitMQ %s said of itself', (version, name) => {
  const node = fact.parse(said(recorded(version)));
  const files = desiredFiles(settings.parse({ password: { secret: 'X' }, nodeName: name }) as Parameters<typeof desiredFiles>[0]);

  it('is read', () => {
    expect(node).toEqual({
      files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, { text, mode: '644', owner: 'root:root' }])),
      active: 'active',
      enabled: 'enabled',
      data: [name],
      epmdListens: ['0100007F'],
      cookie: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/), mode: '400', owner: 'rabbitmq:rabbitmq' },
      running: { name, data: `/var/lib/rabbitmq/mnesia/${name}`, app: true, startedWith: fingerprint(files) },
    });
  });
});

it('a stopped node without files is read', () => {
  expect(fact.parse(said('ActiveState=inactive\nUnitFileState=masked-runtime\n'))).toEqual({
    files: { conf: null, env: null, inetrc: null, epmd: null, order: null },
    active: 'inactive',
    enabled: 'masked-runtime',
    data: [],
    epmdListens: [],
    cookie: null,
    running: 'down',
  });
});

it('a node that gives no answer is neither down nor absent', () => {
  expect(fact.parse(said('ActiveState=active\nUnitFileState=enabled\nnode unreachable\n')).running).toBe('unreachable');
});

it.each([
  ['a failed command', said('', 1)],
  ['an active unit without word of its node', said('ActiveState=active\nUnitFileState=enabled\n')],
  ['no unit state', said('data rabbit@localhost\n')],
  ['a line that is not known', said('ActiveState=inactive\nUnitFileState=enabled\nsurprise\n')],
  [
    'a file that was cut',
    said('file /etc/rabbitmq/rabbitmq.conf 9 644 root:root -\ntexts YWJj.\nActiveState=inactive\nUnitFileState=enabled\n'),
  ],
])('throws on %s', (_, result) => {
  expect(() => fact.parse(result)).toThrow();
});
