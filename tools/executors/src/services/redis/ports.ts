import type { WantedPort } from '../listeners.ts';
import type { RedisSettings } from './settings.ts';

/** Port of a cluster's own traffic, from that of the clients (redis.conf, "cluster-port"). */
const CLUSTER_OFFSET = 10_000;

/** The ports that Redis listens on, on every address: `bind` is not free. */
export function wantedPorts({ port, parameters }: Pick<RedisSettings, 'port' | 'parameters'>): WantedPort[] {
  const number = (name: string) => Number([parameters[name] ?? []].flat().at(-1) ?? 0);
  const tls = number('tls-port');
  const cluster = [parameters['cluster-enabled']].flat().at(-1)?.toLowerCase() === 'yes';
  const bus = number('cluster-port') || (number('port') || port) + CLUSTER_OFFSET;
  return [
    { port, setting: '"port"' },
    ...(tls === 0 ? [] : [{ port: tls, setting: '"tls-port"' }]),
    ...(cluster ? [{ port: bus, setting: number('cluster-port') === 0 ? '"port"' : '"cluster-port"' }] : []),
  ];
}
