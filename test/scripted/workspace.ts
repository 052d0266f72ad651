import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { place } from './host.ts';
import { installIncus } from './incus.ts';

/** A service whose one fact is a file and whose one change is to write it. */
export const SERVICE = (schema: string) => `
import { z } from '${schema}';
const wanted = ({ settings, context }) => settings.value;
const file = (context) => process.env.TEST_FOLDER + '/' + context.instance;
export default {
  name: 'file', unit: 'file', settings: z.strictObject({ value: z.string() }),
  stages: [{
    name: 'content',
    facts: ({ context }) => ({ now: { name: 'file', command: { argv: ['sh', '-c', 'cat "$1" 2>/dev/null || true', 'sh', file(context)], effect: 'read' }, parse: (r) => r.stdout } }),
    plan: ({ now }, { settings, context }) => now === settings.value ? [] : [{
      resource: 'file', action: 'update', before: now, after: settings.value, impact: 'none', because: 'it differs',
      commands: [{ argv: ['sh', '-c', 'printf %s "$2" > "$1"', 'sh', file(context), settings.value], effect: 'write' }],
    }],
  }],
  health: {
    inside: () => ({ name: 'health', command: { argv: ['true'], effect: 'read' }, parse: () => ({ version: '1', detail: 'asked' }) }),
    outside: async () => ({ version: '1', detail: 'asked' }),
  },
};`;

/** A workspace of as many containers, each as it is to be, on a host where all of them run. */
export function workspace(count: number): void {
  place.folder = mkdtempSync(join(tmpdir(), 'mooring-converge-'));
  process.env.TEST_FOLDER = join(place.folder, 'instances');
  place.trips = 0;
  place.names = Array.from({ length: count }, (_, i) => `c${String(i).padStart(2, '0')}`);
  for (const folder of ['bin', 'answers', 'instances', 'infra/environments', 'infra/zfs', ...place.names.map((name) => `infra/${name}`)])
    mkdirSync(join(place.folder, folder), { recursive: true });
  const write = (file: string, content: unknown) =>
    writeFileSync(join(place.folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  write('nx.json', {});
  write('infra/zfs/storage.json', { description: 'storage' });
  write('infra/environments/local.json', {
    host: 'local',
    incus: { project: 'p', profiles: ['data'], image: 'base' },
    prefix: 'x-',
    network: 'net',
    retention: 2,
  });
  for (const name of place.names) {
    write(`infra/${name}/container.json`, { description: name, service: './service.ts', settings: { value: 'wanted' } });
    write(`infra/${name}/service.ts`, SERVICE(import.meta.resolve('zod')));
    write(`instances/x-${name}`, 'wanted');
  }
  execFileSync('git', ['init', '-q', place.folder]);
  const asUser = ['-c', 'user.name=t', '-c', 'user.email=t@localhost'];
  execFileSync('git', ['-C', place.folder, ...asUser, 'commit', '-q', '--allow-empty', '-m', 'x']);
  installIncus();
}

/** The first run has nothing in the audit log to go by and would cut a set: it is told that this release has completed. */
export function hasCompleted(): void {
  mkdirSync(join(place.folder, 'state/local'), { recursive: true });
  const release = execFileSync('git', ['-C', place.folder, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  writeFileSync(
    join(place.folder, 'state/local/audit.jsonl'),
    `${JSON.stringify({ time: '2026-01-01T00:00:00.000000Z', run: 'r', who: 'w', release, what: 'deploy', result: 'ok' })}\n`,
  );
}
