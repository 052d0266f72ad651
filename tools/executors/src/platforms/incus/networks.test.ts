import { describe, expect, it } from 'vitest';
import { renderHba } from '../../services/postgres/hba.ts';
import { environmentSchema } from '../../workspace/environment.ts';
import { clientNetworks } from './networks.ts';

describe('who may connect', () => {
  it('is the network that was written, however it was written: pg_hba.conf lets nobody else in', () => {
    const networks = [{ name: 'net', managed: true, type: 'bridge', status: 'Created', config: { 'ipv4.address': '10.0.0.1/24' } }];
    const clients = ['64:ff9b::192.0.2.0/120', '64:FF9B::C000:0201/120', '::ffff:10.9.0.5/112'];
    const allowed = clientNetworks({ networks }, { name: 'local', network: 'net', clients });
    expect(allowed).toEqual(['10.0.0.0/24', '64:ff9b::c000:200/120', '10.9.0.0/16']);
    expect(renderHba(allowed)).toContain('host all all 64:ff9b::c000:200/120 scram-sha-256\n');
  });

  it.each(['0.0.0.0/0', '::/0', '10.0.0.1/0', '::ffff:0:0/96', '::FFFF:10.0.0.1/96', 'fe80::1%eth0/64', '010.0.0.0/8', '10.0.0.0/33'])(
    '%s is refused in the file',
    (network) => expect(environmentSchema.shape.clients.safeParse([network]).success).toBe(false),
  );

  it("is the environment's network and the named clients, nothing wider", () => {
    const networks = [
      { name: 'net', managed: true, type: 'bridge', status: 'Created', config: { 'ipv4.address': '10.77.0.1/24', 'ipv6.address': 'none' } },
    ];
    expect(clientNetworks({ networks }, { name: 'local', network: 'net', clients: ['10.9.0.5/16'] })).toEqual([
      '10.77.0.0/24',
      '10.9.0.0/16',
    ]);
    const bare = [{ name: 'net', managed: false, type: 'bridge', status: '', config: {} }];
    expect(() => clientNetworks({ networks: bare }, { name: 'local', network: 'net', clients: [] })).toThrow('not known who may connect');
  });
});
