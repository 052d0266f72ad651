import { describe, expect, test, vi } from 'vitest';
import { deploy } from './deploy.ts';
import { deployed, FIRST, NEXT, succeeds, vanish } from './deployed-on-two-hosts.ts';
import { newWorld, onTwoHosts, onZfs, type Site } from './process.ts';
import { modelService } from './service.ts';
import { plan, status, verify } from './verb.ts';

describe('a container whose file has a mistake', () => {
  const site: Site = { ...onTwoHosts, mistaken: 'beta' };
  const mistake = 'infra/beta/container.json: settings.value: found nothing; expected string';

  test('is told by itself by what looks, beside the others, and fails', async () => {
    const world = await deployed();
    const planned = await plan(site, world);
    expect(planned.result).toMatchObject({
      success: false,
      output: expect.stringContaining('0 changes in the rest of prod; refused: beta'),
    });
    expect(planned.result?.output).toContain(`beta: refused\n  ${mistake}`);
    expect(planned.result?.output).toMatch(/^alpha \(m-alpha on model\)\n {2}provision: no changes$/m);
    const asked = await verify(site, world);
    expect(asked.result?.success).toBe(false);
    expect(JSON.parse(asked.result?.output ?? '').verified).toMatchObject([
      { project: 'alpha', health: 'healthy' },
      { project: 'beta', health: 'unknown', reasons: [mistake] },
    ]);
    const told = await status(site, world);
    expect(told.result?.success).toBe(false);
    expect(told.result?.output).toMatch(/^m-alpha +running .* healthy/m);
    expect(told.result?.output).toMatch(/^m-beta +unknown/m);
    expect(told.result?.output).toContain(mistake);
  });

  test('keeps no other from being looked at alone, and everything from being deployed before a host is asked', async () => {
    const world = await deployed();
    const alone = await plan(site, world, 'alpha');
    expect(alone.result?.success, alone.result?.output).toBe(true);
    const { result, commands } = await deploy(site, world, { ...NEXT, projects: ['alpha'] });
    expect(result).toMatchObject({ success: false, output: expect.stringContaining(mistake) });
    expect(commands).toBe(0);
  });

  test('or whose service fails before it asks anything, does not hide another one of the same host', async () => {
    const world = newWorld(onZfs);
    await succeeds(onZfs, world, FIRST);
    const [packages] = modelService.stages;
    vi.spyOn(packages as NonNullable<typeof packages>, 'facts').mockImplementation(({ context }) => {
      if (context.instance === 'm-beta') throw new TypeError('settings.value is undefined');
      return {};
    });
    const { result } = await plan(onZfs, world);
    expect(result?.success).toBe(false);
    expect(result?.output).toMatch(/^alpha \(m-alpha on model\)$/m);
    expect(result?.output).toMatch(
      /^beta: refused\n {2}settings.value is undefined\n {4}where: {3}host model, instance m-beta, step look$/m,
    );
  });

  test('is not taken for another one under another prefix', async () => {
    const world = await deployed();
    await succeeds(onTwoHosts, world, { ...NEXT, value: 'two' });
    vanish(world, 'm-alpha');
    const { result } = await plan(site, world);
    expect(result?.output).toContain('alpha: refused');
    expect(result?.output).not.toContain('under another prefix');
  });
});
