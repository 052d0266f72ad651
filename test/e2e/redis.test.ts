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
  expect(code, output).toBe(0);
  expect(output).toContain('is healthy (AUTH and PING, from inside and over ');
  expect(await workspace.incus('config', 'get', workspace.instance('redis'), 'security.protection.delete')).toBe('true\n');
});

it('does nothing the second time, seen from outside, though a bridge inside the container has an address too', async () => {
  await workspace.guest('redis', 'ip link add docker0 type bridge; ip address add 172.17.0.1/16 dev docker0; ip link set docker0 up');
  const before = await seenFromOutside(workspace, ['redis']);
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  expect(output).toContain('0 changes; 3 round trips');
  expect(output).not.toContain('172.17.0.1');
  expect(await seenFromOutside(workspace, ['redis'])).toEqual(before);
});

it('--dry-run shows what would be done, changes nothing and takes no lease', async () => {
  await workspace.guest('redis', "sed -i 's/^maxmemory .*/maxmemory 1mb/' /etc/redis/redis.conf");
  const before = await seenFromOutside(workspace, ['redis']);
  const { code, output } = await workspace.configure('--dry-run');
  expect(code, output).toBe(0);
  expect(output).toContain('maxmemory: 1mb -> 268435456');
  expect(output).toContain('dry run, nothing was changed');
  expect(await seenFromOutside(workspace, ['redis'])).toEqual(before);
});
