import type { Fleet, Member, ServiceName } from './fleet.ts';

/** What Debian calls a service, and how one sees that it is up. */
const PACKAGES: Readonly<Partial<Record<ServiceName, { readonly name: string; readonly up: string }>>> = {
  postgres: { name: 'postgresql', up: 'pg_isready -q' },
  redis: { name: 'redis-server', up: 'redis-cli ping' },
  rabbitmq: { name: 'rabbitmq-server', up: 'HOME=/var/lib/rabbitmq erl_call -h hand -address 127.0.0.1:25672 -a "rabbit is_running"' },
};

/** Those services that come from Debian; MinIO is one binary that is copied, and never the slowest. */
export function isPackaged({ service }: Member): boolean {
  return PACKAGES[service] !== undefined;
}

/**
 * A single service's own installation, as one would type it: a container from the same image with the same profiles, the package
 * lists, the package, and waiting until the service is up. Nothing of it is configured.
 *
 * @param name of the container that is made
 * @param image alias
 */
export function installScript(fleet: Fleet, { service }: Member, name: string, image: string): string {
  const wanted = PACKAGES[service];
  if (wanted === undefined) throw new Error(`${service} is no package`);
  return `set -e
incus launch ${image} ${name} --project ${fleet.workspace.environment} -p veza-data -p veza-net -q </dev/null
incus exec ${name} --project ${fleet.workspace.environment} -T -- sh -es <<'END'
until ip route | grep -q default; do sleep 0.2; done
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update </dev/null
apt-get -qq -y --no-install-recommends install ${wanted.name} </dev/null >/dev/null
until ${wanted.up} >/dev/null 2>&1; do sleep 0.2; done
END
`;
}
