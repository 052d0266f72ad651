import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from '../../../../../test/app-settings.ts';
import { AppWorld } from '../../../../../test/app-world.ts';
import { renderScript, scriptHash } from './script.ts';

describe.each(['node', 'python'] as const)('of a %s application', (kind) => {
  it('shellcheck finds nothing in it', { timeout: 120_000 }, () => {
    const hostile = {
      repository: 'git@git.example.org:team/it_$(id)`id`.git',
      jobs: [{ name: 'night', schedule: 'daily', command: ['a b', "c'd"] }],
    };
    for (const over of [{}, hostile]) {
      const { error, stdout } = spawnSync('shellcheck', ['-s', 'sh', '-e', 'SC2016', '-'], {
        input: renderScript(settings(kind, over)),
        encoding: 'utf8',
      });
      if (error !== undefined) throw new Error(`shellcheck did not run: ${error.message}. To install it: test/lab/lab.sh shellcheck`);
      expect(stdout).toBe('');
    }
  });

  it('holds no secret', () => {
    expect(renderScript(settings(kind, { envVars: { TOKEN: { secret: 'TOKEN' } } }))).not.toContain('value-of-');
  });
});

it('another setting that it holds is another script', () => {
  const hash = (over: object) => scriptHash(settings('node', over as Record<string, unknown>));
  expect(hash({ branch: 'next' })).not.toBe(hash({}));
  expect(hash({ ports: { backend: 4001 } })).not.toBe(hash({}));
  expect(hash({ envVars: { A: 'b' } })).toBe(hash({}));
});

describe('by hand', () => {
  let world: AppWorld;
  beforeAll(() => {
    world = new AppWorld();
  });
  afterAll(() => world.remove());
  let [first, second] = ['', ''];

  it('deploys the newest commit, and the second time nothing', async () => {
    first = world.commit();
    expect(await world.run([])).toMatchObject({
      code: 0,
      output: expect.stringContaining('is live; http://127.0.0.1:3001/health answers 200'),
    });
    expect(await world.releases()).toEqual([`* good ${first}`]);
    expect(world.runs).toBe(first);
    expect(await world.run([])).toMatchObject({ code: 0, output: expect.stringContaining(`${first} is live already`) });
    expect(world.commands).toBeLessThan(3);
  });

  it('a release that is not healthy is taken back; what it said is shown, and it is kept', async () => {
    second = world.commit();
    world.breaks(second);
    const { code, output } = await world.run([]);
    expect(code).toBe(1);
    expect(output).toContain('a line of its log');
    expect(output).toMatch(
      /is not healthy: http:\/\/127.0.0.1:3001\/health answers 500: {"error":"broken"}\nrelease \S+ is live again and healthy/,
    );
    expect(await world.releases()).toEqual([`  failed ${second}`, `* good ${first}`]);
    expect(world.runs).toBe(first);
  });

  it('the same commit again is built again, and a roll-back goes back from it', async () => {
    world.breaks('none');
    expect((await world.run([])).code).toBe(0);
    expect(world.runs).toBe(second);
    expect((await world.run(['rollback'])).code).toBe(0);
    expect(world.runs).toBe(first);
    expect(await world.run(['rollback'])).toMatchObject({
      code: 1,
      output: expect.stringContaining('no release was live before this one'),
    });
  });

  it('a migration that fails leaves the live release alone', async () => {
    const third = world.commit({ 'backend/migrate.js': 'throw new Error("the schema is wrong")\n' });
    const { code, output } = await world.run([]);
    expect(code).toBe(1);
    expect(output).toContain('the schema is wrong');
    expect(output).toMatch(/nothing was switched: \S+ is live/);
    expect(await world.releases()).toContain(`  failed ${third}`);
    expect(world.runs).toBe(first);
    world.commit({ 'backend/migrate.js': '\n' });
  });

  it('a build that fails leaves no release, and the next deploy takes its folder away', async () => {
    const broken = world.commit({ 'frontend/fail': '' });
    const { code, output } = await world.run([]);
    expect(code).not.toBe(0);
    expect(output).toContain('npm does not build this');
    expect(await world.releases()).toContain(`  building ${broken}`);
    expect((await world.run(['deploy', second])).code).toBe(0);
    expect(world.runs).toBe(second);
  });

  it('a commit of another branch, and what is none, are refused', async () => {
    expect(await world.run(['deploy', 'f'.repeat(40)])).toMatchObject({
      code: 1,
      output: expect.stringContaining('is not on branch main'),
    });
    expect(await world.run(['deploy', 'main'])).toMatchObject({ code: 1, output: expect.stringContaining('no commit: main') });
    expect(await world.run(['rollback', '../x'])).toMatchObject({ code: 1, output: expect.stringContaining('no release: ../x') });
  });

  it('a second one at the same time is turned away', async () => {
    const other = spawn('flock', [`${world.root}/app/.deploy/lock`, 'sh', '-c', 'echo held; sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    try {
      await new Promise((resolve) => other.stdout.once('data', resolve));
      expect(await world.run([])).toMatchObject({ code: 75, output: expect.stringContaining('another deploy is at work on this guest') });
    } finally {
      process.kill(-(other.pid as number));
    }
    expect((await world.run(['deploy', second])).code).toBe(0);
  });
});

describe('content that git does not have', () => {
  const oid = 'a'.repeat(64);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`;
  let world: AppWorld;
  let good: string;
  beforeAll(async () => {
    world = new AppWorld();
    good = world.commit();
    expect((await world.run([])).code).toBe(0);
  });
  afterAll(() => world.remove());

  it.each<[string, Record<string, string>, string]>([
    [
      'a pointer of Git LFS',
      { '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n', 'public/a logo.png': pointer },
      'public/a logo.png (Git LFS)',
    ],
    ['one that no .gitattributes names any more', { 'public/a logo.png': pointer }, 'public/a logo.png (Git LFS)'],
    ['a pointer of git-annex', { 'big.iso': '/annex/objects/SHA256E-s12345--abc.iso\n' }, 'big.iso (git-annex)'],
    ['ciphertext of git-crypt', { 'config/prod.yml': '\0GITCRYPT\0\u0001\u0002 and more' }, 'config/prod.yml (git-crypt)'],
  ])('%s is refused before anything is built or switched', async (_, files, told) => {
    const commit = world.commit(files);
    const { code, output } = await world.run([]);
    expect(code).toBe(1);
    expect(output).toContain(`commit ${commit} has files whose content is not in git, or not to be read`);
    expect(output).toContain(`\n${told}\n1 in all; nothing was switched\n`);
    expect(world.runs).toBe(good);
    expect(await world.releases()).toEqual([`  building ${commit}`, `* good ${good}`]);
    world.commit(Object.fromEntries(Object.keys(files).map((file) => [file, 'its content\n'])));
  });

  it('a text about them, and files like them, are content', async () => {
    const files = {
      'docs/lfs.md': `A pointer:\n\n${pointer}`,
      'empty.txt': '',
      'no-newline.txt': 'version 1',
      'large.txt': `version https://git-lfs.github.com/spec/v1\n${'x'.repeat(1024)}`,
      'odd \n name.txt': 'x\n',
    };
    const commit = world.commit(files);
    expect(await world.run([])).toMatchObject({ code: 0 });
    expect(world.runs).toBe(commit);
  });

  it('submodules are refused by their folders, and a left-over .gitmodules is not', async () => {
    world.commit({ '.gitmodules': '' });
    expect(await world.run([])).toMatchObject({ code: 0 });
    const commit = world.commit({}, { 'vendor/theme': good });
    expect(await world.run([])).toMatchObject({
      code: 1,
      output: expect.stringMatching(
        new RegExp(`commit ${commit} has submodules, which are not fetched: vendor/theme[^]*or set "pointers": "keep" in app.json`),
      ),
    });
  });

  it('a grep that cannot look for them is no answer', async () => {
    const other = new AppWorld();
    try {
      const grep = '#!/bin/sh\ncase "$*" in *-P*) echo "grep: no -P" >&2; exit 2 ;; esac\nexec /usr/bin/grep "$@"\n';
      writeFileSync(join(other.root, 'fakes/grep'), grep, { mode: 0o755 });
      writeFileSync(join(other.root, 'fakes/find'), '#!/bin/sh\nexec /usr/bin/find "$@"\n');
      const commit = other.commit();
      const { code, output } = await other.run([]);
      expect(code).toBe(1);
      expect(output).toContain(`grep: no -P\nthe files of commit ${commit} could not be looked at`);
      expect(other.runs).toBeUndefined();
    } finally {
      other.remove();
    }
  });

  it('they are deployed as they are where the settings say so', async () => {
    const other = new AppWorld({ pointers: 'keep' });
    try {
      const commit = other.commit({ 'public/logo.png': pointer }, { 'vendor/theme': good });
      expect(await other.run([])).toMatchObject({ code: 0 });
      expect(other.runs).toBe(commit);
    } finally {
      other.remove();
    }
  });
});
