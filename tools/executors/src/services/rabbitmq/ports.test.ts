import { expect, it } from 'vitest';
import { wantedPorts } from './ports.ts';

it('are every listener of its plugins, with its address, the distribution and the port mapper', () => {
  const ports = wantedPorts({
    port: 5672,
    parameters: {
      'listeners.ssl.default': '5671',
      'mqtt.listeners.tcp.1': '127.0.0.1:1883',
      'stream.listeners.tcp.1': ':::5552',
      'management.tcp.port': '15672',
      'management.tcp.ip': '127.0.0.1',
      'web_stomp.port': '15674',
      'web_mqtt.tcp.listener': '0.0.0.0:15675',
      'listeners.ssl': 'none',
      'cluster_formation.etcd.port': '2379',
      'mqtt.tcp_listen_options.port': '1',
    },
  });
  expect(ports.map(({ port, address = '*' }) => `${address} ${port}`)).toEqual([
    '* 5672',
    '* 5671',
    '127.0.0.1 1883',
    '* 5552',
    '127.0.0.1 15672',
    '* 15674',
    '0.0.0.0 15675',
    '127.0.0.1 25672',
    '127.0.0.1 4369',
  ]);
});
