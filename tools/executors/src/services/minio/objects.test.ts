import { expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import type { Desired } from '../../engine/service.ts';
import { objects } from './objects.ts';
import type { FoundObjects } from './objects-facts.ts';
import type { SignedRequests } from './requests.ts';
import { type MinioSettings, quotaBytes, settings } from './settings.ts';

const desired = (over: object): Desired<MinioSettings> => ({
  settings: settings.parse({
    ...{ rootUser: new Secret('root-user'), rootPassword: new Secret('root-password') },
    ...{ accessKey: new Secret('app-key'), secretKey: new Secret('app-secret'), bucket: 'veza-new', ...over },
  }),
  context: { environment: 'local', instance: 'x', clientNetworks: [], artifacts: {} },
});
const found: FoundObjects = {
  bucket: true,
  policy: 'same',
  user: { status: 'enabled', policies: 'same' },
  secretKey: 'accepted',
  retired: [],
  former: [],
};
const undoOf = (objectsFound: FoundObjects, over = {}) =>
  objects
    .plan({ objects: objectsFound }, desired(over))
    .flatMap(({ undo = [] }) => undo)
    .map(({ stdin }) => (stdin as SignedRequests).bytes().toString());

it('takes a change of the policy back to its former text, which names the bucket of the former settings', () => {
  const formerPolicy = '{"Version":"2012-10-17","Statement":[]}';
  const [request, ...more] = undoOf({ ...found, policy: 'differs', formerPolicy, former: ['veza-old'] });
  expect(more).toEqual([]);
  expect(request).toMatch(/^PUT \/minio\/admin\/v3\/add-canned-policy\?name=mooring-app-key /);
  expect(request?.endsWith(`\r\n\r\n${formerPolicy}`)).toBe(true);
});

it('takes a quota back to the former one, or to none', () => {
  expect(undoOf({ ...found, quota: 5 }, { quota: '1kb' })[0]).toMatch(/\r\n\r\n\{"quota":5,"quotatype":"hard"\}$/);
  expect(undoOf({ ...found, quota: 0 }, { quota: '1kb' })[0]).toMatch(/\r\n\r\n\{"quota":0\}$/);
  expect(undoOf({ ...found, quota: 1024 }, { quota: '1kb' })).toEqual([]);
  // What somebody else has set stays where the settings name none.
  expect(undoOf(found)).toEqual([]);
});

it('names the loss where the access key is new as well, once', () => {
  const changes = objects.plan(
    { objects: { ...found, policy: 'absent', user: null, retired: ['old-key'], former: ['veza-old'] } },
    desired({}),
  );
  const leaving = changes.filter(({ leaves }) => leaves !== undefined);
  expect(leaving.map(({ resource, impact, leaves }) => [resource, impact, leaves?.map(({ name }) => name)])).toEqual([
    ["application's policy", 'data-loss', ['veza-old']],
  ]);
});

it.each([
  ['1kb', 2 ** 10],
  ['3mb', 3 * 2 ** 20],
  ['500gb', 500 * 2 ** 30],
  ['2tb', 2 * 2 ** 40],
])('%s are %i bytes', (size, bytes) => expect(quotaBytes(size)).toBe(bytes));
