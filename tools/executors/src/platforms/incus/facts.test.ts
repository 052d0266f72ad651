import { expect, test } from 'vitest';
import { incusFacts } from './facts.ts';

const whole = {
  name: 'veza-local-redis',
  project: 'default',
  type: 'container',
  status: 'Running',
  location: 'none',
  created_at: '2026-11-23T06:25:58Z',
  config: { 'volatile.uuid': 'u' },
  expanded_config: {},
  devices: {},
  expanded_devices: {},
  profiles: ['veza-data'],
  snapshots: null,
  state: null,
};
/** As Incus 6.0.4 lists an instance that is being deleted while it reads the list. */
const going = {
  ...whole,
  name: 'other',
  status: 'Error',
  config: null,
  devices: null,
  profiles: null,
  expanded_config: undefined,
  expanded_devices: undefined,
};

function parse(instances: unknown[]) {
  const { instances: fact } = incusFacts('default');
  return fact.parse({ command: fact.command, code: 0, stdout: JSON.stringify(instances), stderr: '' });
}

test('an instance that goes away while the list is read does not hide the others', () => {
  expect(parse([whole, going]).map(({ name, status }) => [name, status])).toEqual([
    ['veza-local-redis', 'Running'],
    ['other', 'Error'],
  ]);
});

test('any other instance without its configuration is an answer that is not known', () => {
  expect(() => parse([{ ...whole, config: null }])).toThrow(/in a form that is not known/);
});

test('nothing at all is what Incus prints where no operation was ever begun', () => {
  const { operations: fact } = incusFacts('veza');
  expect(fact.parse({ command: fact.command, code: 0, stdout: '', stderr: '' })).toEqual([]);
});

test('what is no JSON is an answer that is not known', () => {
  const { instances: fact } = incusFacts('veza');
  expect(() => fact.parse({ command: fact.command, code: 0, stdout: '[{', stderr: '' })).toThrow(/in a form that is not known:.*not JSON/s);
  expect(() => fact.parse({ command: fact.command, code: 0, stdout: '', stderr: '' })).toThrow(/in a form that is not known/);
});

test('operations are told with the instances that they are about', () => {
  const { operations: fact } = incusFacts('veza');
  const parseOperations = (answer: unknown) => fact.parse({ command: fact.command, code: 0, stdout: JSON.stringify(answer), stderr: '' });
  const stopping = { class: 'task', description: 'Stopping instance', resources: { instances: ['/1.0/instances/redis?project=veza'] } };
  expect(parseOperations({ running: [stopping, { description: 'Downloading image', resources: null }], success: [stopping] })).toEqual([
    { description: 'Stopping instance', instances: [{ name: 'redis', project: 'veza' }] },
    { description: 'Downloading image', instances: [] },
  ]);
});

test('instances everywhere are told by their paths', () => {
  const { everywhere: fact } = incusFacts('veza');
  const parsePaths = (paths: string[]) => fact.parse({ command: fact.command, code: 0, stdout: JSON.stringify(paths), stderr: '' });
  expect(parsePaths(['/1.0/instances/redis', '/1.0/instances/redis?project=a%20b'])).toEqual([
    { name: 'redis', project: 'default' },
    { name: 'redis', project: 'a b' },
  ]);
  expect(() => parsePaths(['/1.0/containers/redis'])).toThrow(/in a form that is not known/);
});
