import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const WALK = join(import.meta.dirname, 'walk');
/** A `maxmemory` that is its own number of bytes, and that nothing else is. */
const VALUE = '123454321';

type Walk = {
  readonly failed: readonly string[];
  readonly server: { readonly maxmemory: string; readonly file: string };
  readonly files: Readonly<Record<string, readonly { readonly gives: boolean }[]>>;
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring-walk-'));
  const files = {
    'nx.json': '{}',
    '.gitignore': '.nx\n.secrets\ninfra/redis\n',
    'infra/zfs/storage.json': JSON.stringify({ description: 'storage' }),
    'infra/environments/prod.json': JSON.stringify({
      ...{ host: 'local', incus: { project: 'default', profiles: ['zpool'], image: 'base' } },
      ...{ prefix: 'm-', network: 'net', retention: 2 },
    }),
    'infra/redis/container.json': '{}',
    '.secrets/prod.env': 'REDIS_PASSWORD=value-of-REDIS_PASSWORD\n',
  };
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true, mode: 0o700 });
    writeFileSync(join(root, file), content, { mode: 0o600 });
  }
  const git = (...words: string[]) => execFileSync('git', ['-C', root, '-c', 'user.name=t', '-c', 'user.email=t@localhost', ...words]);
  git('init', '-q');
  git('add', '-A');
  git('commit', '-q', '-m', 'x');
});
afterEach(() => rmSync(root, { recursive: true }));

/** A deploy as Nx has it made, from `container.json` to the server and back: its own process, on the model's host. */
function walked(): Walk {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', join(WALK, 'trace.ts'), join(WALK, 'program.ts'), root, VALUE],
    { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: root }, timeout: 100_000 },
  );
  expect(status, stdout + stderr).toBe(0);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/*
 * What counts as entering a file stands in walk/trace.ts. Who adds a file to one of these lists has a reason for it; the numbers are those
 * of today, for nobody to make the walk longer without seeing it.
 */
it('maxmemory goes from container.json to CONFIG SET and back through a counted number of files', { timeout: 110_000 }, () => {
  const { failed, server, files } = walked();
  expect(failed).toEqual([]);
  expect(server).toEqual({ maxmemory: VALUE, file: VALUE });
  const entered = Object.keys(files).sort();
  const givenOn = entered.filter((file) => files[file]?.some(({ gives }) => gives));
  // The walk has its known ends: else the trace itself is broken.
  for (const file of ['workspace/files.ts', 'services/redis/settings.ts', 'services/redis/parameters.ts', 'services/redis/live.ts'])
    expect(givenOn).toContain(file);
  expect(givenOn.length, `these give it on:\n${givenOn.join('\n')}`).toBeLessThanOrEqual(23);
  expect(entered.length, `these take it or give it on:\n${entered.join('\n')}`).toBeLessThanOrEqual(37);
});
