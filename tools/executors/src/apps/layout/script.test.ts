import { spawn, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from '../../../../../test/app-settings.ts';
import { AppWorld } from '../../../../../test/app-world.ts';
import { renderScript, scriptHash } from './script.ts';

const shellcheck = spawnSync('shellcheck', ['--version']).status === 0;

describe.each(['node', 'python'] as const)('of a %s application', (kind) => {
  it.skipIf(!shellcheck)('is clean by shellcheck (skipped where that is not installed)', () => {
    const hostile = {
      repository: 'git@git.example.org:team/it_$(id)`id`.git',
      jobs: [{ name: 'night', schedule: 'daily', command: ['a b', "c'd"] }],
    };
    for (const over of [{}, hostile]) {
      const { stdout } = spawnSync('shellcheck', ['-s', 'sh', '-e', 'SC2016', '-'], {
        input: renderScript(settings(kind, over)),
        encoding: 'utf8',
      });
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
