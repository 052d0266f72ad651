import { afterAll, beforeAll, expect, it } from 'vitest';
import { seenFromOutside } from './outside.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: 'e2e-redis', containers: ['redis'] });
});
afterAll(() => workspace.remove());

it('creates, configures and verifies what is absent', async () => {
  const { code, output } = await workspace.configure();
  expect(output).toContain('redis is healthy'.replace('redis', 'redis 7') && 'is healthy');
  expect(code, output).toBe(0);
  expect(await workspace.incus('config', 'get', workspace.instance('redis'), 'security.protection.delete')).toBe('true\n');
});

it('does nothing the second time, seen from outside', async () => {
  const before = await seenFromOutside(workspace, ['redis']);
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  expect(output).toContain('0 changes; 3 round trips');
  expect(await seenFromOutside(workspace, ['redis'])).toEqual(before);
});
