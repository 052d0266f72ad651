import { expect, test } from 'vitest';
import { type IncusFacts, incusFacts } from './facts.ts';
import { ownership } from './marks.ts';
import { planInstance } from './provision.ts';

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

test('one of ours that Incus cannot read is neither absent nor foreign', () => {
  const [instance] = parse([{ ...going, name: 'veza-local-redis' }]);
  if (instance === undefined) throw new Error('none');
  expect(ownership(instance, 'local')).toEqual({ ours: false, because: 'Incus could not read it' });
  const facts = { instances: [instance], pools: [] } as unknown as IncusFacts;
  const spec = {
    instance: 'veza-local-redis',
    project: 'default',
    profiles: [],
    image: 'i',
    limits: {},
    devices: {},
    environment: 'local',
    container: 'redis',
    service: 'redis',
    tool: 't',
  };
  expect(() => planInstance(facts, spec, [], { create: [], adopt: ['veza-local-redis'], uuid: 'u', startSeconds: 1 })).toThrow(
    /veza-local-redis is in the state Error.*could not read it/,
  );
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
