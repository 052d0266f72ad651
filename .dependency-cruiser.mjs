import { readFileSync } from 'node:fs';

const SOURCES = 'tools/executors/src';

/** The rooms of the plugin and what each may import: the table of docs/architecture.md. */
const rooms = readFileSync(new URL('docs/architecture.md', import.meta.url), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, room, allowed] = /^\| `([a-z-]+)\/` \|.*\| ([a-z, `-]+) \|$/.exec(line) ?? [];
    return room === undefined || allowed === undefined
      ? []
      : [{ room, allowed: [...allowed.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name) }];
  });
if (rooms.length === 0) throw new Error('docs/architecture.md has no table of rooms');

const comment = 'docs/architecture.md has the table of rooms, what each may import, and why.';
const inTests = '\\.test\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no circle', comment, severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'a room without a row',
      comment,
      severity: 'error',
      from: { path: `^${SOURCES}/[^/]+/`, pathNot: `^${SOURCES}/(${rooms.map(({ room }) => room).join('|')})/` },
      to: {},
    },
    ...rooms.map(({ room, allowed }) => ({
      name: `${room} may import ${allowed.join(', ') || 'nothing'}`,
      comment,
      severity: 'error',
      from: { path: `^${SOURCES}/${room}/`, pathNot: inTests },
      to: { path: `^${SOURCES}/`, pathNot: `^${SOURCES}/(${[room, ...allowed].join('|')})/` },
    })),
    {
      name: 'a verb imports no other verb',
      comment,
      severity: 'error',
      from: { path: `^${SOURCES}/verbs/([^/]+)/`, pathNot: inTests },
      to: { path: `^${SOURCES}/verbs/`, pathNot: `^${SOURCES}/verbs/$1/` },
    },
    {
      name: 'a service imports no other service',
      comment,
      severity: 'error',
      from: { path: `^${SOURCES}/services/([^/]+)/`, pathNot: inTests },
      to: { path: `^${SOURCES}/services/[^/]+/`, pathNot: `^${SOURCES}/services/$1/` },
    },
    {
      name: 'a report takes types only from verbs',
      comment,
      severity: 'error',
      from: { path: `^${SOURCES}/report/`, pathNot: inTests },
      to: { path: `^${SOURCES}/verbs/`, dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
