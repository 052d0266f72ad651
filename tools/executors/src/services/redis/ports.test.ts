import { expect, it } from 'vitest';
import { wantedPorts } from './ports.ts';

it('are those for clients, with TLS too, and the one of the cluster', () => {
  const ports = (parameters: Record<string, string | string[]>) => wantedPorts({ port: 6379, parameters }).map(({ port }) => port);
  expect(ports({})).toEqual([6379]);
  expect(ports({ 'tls-port': '6380', 'cluster-enabled': 'Yes' })).toEqual([6379, 6380, 16379]);
  expect(ports({ 'tls-port': '0', 'cluster-enabled': 'yes', 'cluster-port': '7000' })).toEqual([6379, 7000]);
});
