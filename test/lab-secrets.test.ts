import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ordinary } from '../tools/executors/src/engine/ordinary.ts';

const SCRIPT = join(import.meta.dirname, 'lab/secrets.mjs');

let folder: string;
let lab: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mooring-lab-secrets-'));
  lab = join(folder, 'lab');
  mkdirSync(lab, { mode: 0o700 });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A clone of the repository, as far as its secrets go. */
function clone(name: string, content?: string): string {
  const root = join(folder, name);
  mkdirSync(join(root, '.secrets'), { recursive: true });
  writeFileSync(join(root, '.secrets/example.env'), 'REDIS_PASSWORD=\nMINIO_ROOT_USER=\n');
  if (content !== undefined) writeFileSync(join(root, '.secrets/local.env'), content);
  return root;
}

/** What `quickstart` and `lab.sh` run. */
function secrets(workspace: string, ...more: string[]): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, MOORING_LAB_DIR: lab };
  const child = spawn(process.execPath, [SCRIPT, 'local', '--workspace', workspace, ...more], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (output += part));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

const read = (root: string) => readFileSync(join(root, '.secrets/local.env'), 'utf8');
const readLab = () => readFileSync(join(lab, 'secrets/local.env'), 'utf8');

describe('a second clone on one machine', () => {
  it('gets the values that the first one has', async () => {
    const [first, second] = [clone('first'), clone('second')];
    expect(await secrets(first)).toEqual({ code: 0, output: '.secrets/local.env: 2 added, 0 kept\n' });
    expect(await secrets(second)).toEqual({ code: 0, output: '.secrets/local.env: 2 added, 0 kept\n' });
    expect(read(first)).toMatch(/^REDIS_PASSWORD=[\w-]{40}\nMINIO_ROOT_USER=[\w-]{40}\n$/);
    expect(read(second)).toBe(read(first));
    expect(readLab()).toBe(read(first));
    expect(statSync(join(lab, 'secrets')).mode & 0o777).toBe(0o700);
    expect(statSync(join(lab, 'secrets/local.env')).mode & 0o777).toBe(0o600);
    // Again, and nothing is changed or left behind.
    expect(await secrets(second)).toEqual({ code: 0, output: '.secrets/local.env: 0 added, 2 kept\n' });
    expect(readdirSync(lab)).toEqual(['secrets']);
  });

  it('gets them too when both ask at once', async () => {
    const clones = Array.from({ length: 4 }, (_, i) => clone(`clone ${i}`));
    const ended = await Promise.all(clones.map((root) => secrets(root)));
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(new Set(clones.map(read))).toEqual(new Set([readLab()]));
  });

  it('that has other values is refused: which ones, and both ways on; nothing is written, no value is told', async () => {
    const [first, second] = [clone('first'), clone('second', 'REDIS_PASSWORD=of-the-second\n')];
    await secrets(first);
    const before = readLab();
    const { code, output } = await secrets(second);
    expect(code).toBe(1);
    const [own, shared] = [join(second, '.secrets/local.env'), join(lab, 'secrets/local.env')];
    expect(output).toContain(`secrets: ${own} and the lab's ${shared} differ in REDIS_PASSWORD: nothing was written.`);
    expect(output).toContain(
      `Next: to use the lab's: mv ${own} ${own}.old, then the same command again; or to make these the lab's: cp ${own} ${shared}`,
    );
    expect(output).not.toContain('of-the-second');
    expect([read(second), readLab()]).toEqual(['REDIS_PASSWORD=of-the-second\n', before]);
  });

  it('with values that no lab knows yet, of before, makes them its: quoted or not they are the same', async () => {
    const first = clone('first', 'REDIS_PASSWORD="in quotes"\n');
    await secrets(first);
    expect(readLab()).toContain('REDIS_PASSWORD="in quotes"\n');
    const second = clone('second', "REDIS_PASSWORD='in quotes'\nOTHER=stays\n");
    expect((await secrets(second)).code).toBe(0);
    expect(read(second)).toMatch(/^REDIS_PASSWORD='in quotes'\nOTHER=stays\nMINIO_ROOT_USER=[\w-]{40}\n$/);
  });

  it('has its own with --own, and where the machine has no lab', async () => {
    const [first, second] = [clone('first'), clone('second')];
    await secrets(first, '--own');
    expect(readdirSync(lab)).toEqual([]);
    rmSync(lab, { recursive: true });
    await secrets(second);
    expect(read(second)).not.toBe(read(first));
    mkdirSync(lab);
  });
});

it('what a killed command left locked is taken over; what is alive is waited for', async () => {
  const root = clone('first');
  writeFileSync(join(lab, 'secrets.lock'), '4194303');
  expect((await secrets(root)).code).toBe(0);
  writeFileSync(join(lab, 'secrets.lock'), String(process.pid));
  const waiting = secrets(root);
  await new Promise((resolve) => setTimeout(resolve, 300));
  rmSync(join(lab, 'secrets.lock'));
  expect((await waiting).code).toBe(0);
});

it.each([
  [['--only', 'lower'], 'lower is no name of a secret'],
  [['--only'], 'name the secret'],
  [['--own', '--lab', '/tmp'], '--lab and --own do not go together'],
])('%j is refused', async (flags, says) => {
  const { code, output } = await secrets(clone('first'), ...flags);
  expect([code, output]).toEqual([1, expect.stringContaining(says)]);
});

it('makes no value that is too ordinary to be hidden', async () => {
  const { randomValue } = (await import(SCRIPT)) as { randomValue: () => string };
  for (let i = 0; i < 200; i++) expect(ordinary(randomValue(), ['local', 'veza-local-redis'])).toBeUndefined();
});
