import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { place } from './host.ts';

const UUID = '00000000-0000-4000-8000-000000000000';

const INCUS = `#!/bin/sh
[ "$INCUS_CONF $1" = '/nonexistent --force-local' ] || { echo "goes to the default remote: incus $*" >&2; exit 99; }
shift
echo "$*" >> "$FOLDER/calls"
case "$1" in
  query) f=$(printf %s "$2" | tr -c 'a-zA-Z0-9\\n' _); [ -e "$FOLDER/answers/$f" ] || { echo "unexpected: incus $*" >&2; exit 99; }; cat "$FOLDER/answers/$f" ;;
  exec) while [ "$1" != -- ]; do shift; done; shift; exec "$@" ;;
  config) exit 0 ;;
  snapshot) echo 'Error: no space left on device' >&2; exit 1 ;;
  *) echo "unexpected: incus $*" >&2; exit 99 ;;
esac
`;

/** What Incus says at a path of its API. */
export function answer(path: string, content: unknown): void {
  writeFileSync(join(place.folder, 'answers', path.replaceAll(/[^a-zA-Z0-9]/g, '_')), JSON.stringify(content));
}

/** The program, with all that a deploy asks of it. It needs the commit of the workspace: it is the release of its instances. */
export function installIncus(): void {
  writeFileSync(join(place.folder, 'bin/incus'), INCUS);
  chmodSync(join(place.folder, 'bin/incus'), 0o755);
  // Nothing is what Incus prints while no operation is known.
  writeFileSync(join(place.folder, 'answers', '_1_0_operations_recursion_1_project_p'), '');
  answer('/1.0', { environment: { server_version: '6.0.4' } });
  answer('/1.0/projects?recursion=1', [{ name: 'p', config: {} }]);
  answer('/1.0/storage-pools?recursion=1', [{ name: 'pool', driver: 'btrfs', status: 'Created', config: {} }]);
  answer('/1.0/storage-pools/pool/resources', { space: { used: 1, total: 100 } });
  answer('/1.0/profiles?recursion=1&project=p', [{ name: 'data', config: {}, devices: {} }]);
  answer('/1.0/networks?recursion=1&project=p', [
    { name: 'net', managed: true, type: 'bridge', status: 'Created', config: { 'ipv4.address': '10.0.0.1/24' } },
  ]);
  answer('/1.0/images/aliases?recursion=1&project=p', [{ name: 'base', target: 'f'.repeat(64) }]);
  const instances = place.names.map(instance);
  answer(
    '/1.0/instances?all-projects=true',
    instances.map(({ name }) => `/1.0/instances/${name}?project=p`),
  );
  answer('/1.0/instances?recursion=2&project=p', instances);
  for (const one of instances) answer(`/1.0/instances/${one.name}?recursion=1&project=p`, one);
}

function instance(name: string) {
  const root = { type: 'disk', path: '/', pool: 'pool' };
  const release = execFileSync('git', ['-C', place.folder, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const marks = { environment: 'local', instance: `x-${name}`, service: 'file', uuid: UUID, release };
  const config = {
    'volatile.uuid': UUID,
    'volatile.eth0.hwaddr': '10:66:6a:00:00:01',
    'security.protection.delete': 'true',
    ...Object.fromEntries(Object.entries(marks).map(([key, value]) => [`user.mooring.${key}`, value])),
  };
  return {
    name: `x-${name}`,
    project: 'p',
    type: 'container',
    status: 'Running',
    location: 'none',
    created_at: '2026-01-01T00:00:00Z',
    config,
    expanded_config: config,
    devices: {},
    expanded_devices: { root, eth0: { type: 'nic', network: 'net' } },
    profiles: ['data'],
    snapshots: null,
    state: {
      network: {
        eth0: { addresses: [{ family: 'inet', address: '10.0.0.9', scope: 'global' }], hwaddr: '10:66:6a:00:00:01', host_name: '' },
      },
    },
  };
}
