import type { WantedPort } from '../listeners.ts';
import { DISTRIBUTION_PORT } from './files.ts';
import type { RabbitmqSettings } from './settings.ts';

/** Keys whose value is a port, or an address and a port: `listeners.ssl.default`, `mqtt.listeners.tcp.1`, `web_stomp.tcp.listener`. */
const LISTENER = /(^|\.)listeners\.(tcp|ssl)\.[^.]+$|\.(tcp|ssl)\.listener$/;
/** Keys whose value is a port, with an address under the same prefix: `management.tcp.port` and `management.tcp.ip`. */
const PORT = /^(\w+\.(?:tcp|ssl|listener)|web_stomp)\.port$/;

/** The ports that the node listens on, and that of Erlang's port mapper, which all Erlang programs share and systemd's socket starts. */
export function wantedPorts({ port, parameters }: Pick<RabbitmqSettings, 'port' | 'parameters'>): WantedPort[] {
  return [
    { port, setting: '"port"' },
    ...Object.entries(parameters).flatMap(([key, value]) => {
      const [, prefix] = PORT.exec(key) ?? [];
      if (prefix === undefined && !LISTENER.test(key)) return [];
      const [, ip, number] = /^(?:(.+):)?(\d+)$/.exec(value) ?? [];
      // `none`, and what RabbitMQ will refuse itself.
      if (number === undefined) return [];
      return [{ port: Number(number), address: addressOf(ip ?? parameters[`${prefix}.ip`]), setting: `"${key}"` }];
    }),
    { port: DISTRIBUTION_PORT, address: '127.0.0.1' },
    { port: 4369, address: '127.0.0.1', sharedWith: ['epmd', 'systemd'] },
  ];
}

/** What Erlang binds to: `::` takes IPv4 along. */
function addressOf(ip: string | undefined): string {
  const address = ip?.replace(/^\[(.*)\]$/, '$1');
  return address === undefined || address === '::' ? '*' : address;
}
