import { type Change, type Left, leaving } from '../../engine/change.ts';
import { Secret } from '../../engine/secret.ts';
import { type Desired, defineStage } from '../../engine/service.ts';
import { putBucketQuota, putPolicy, putUser, removePolicy, removeUser, setUserPolicy } from './admin.ts';
import { applicationOf, type FoundObjects, objectsFact, rootOf } from './objects-facts.ts';
import { policyDocument, policyName } from './policy.ts';
import { type MinioRequest, tell } from './requests.ts';
import { type MinioSettings, quotaBytes } from './settings.ts';

/** Bucket, policy and the application's user. Objects are never touched. */
export const objects = defineStage<MinioSettings, { objects: FoundObjects }>({
  name: 'objects',
  facts: ({ settings }) => ({ objects: objectsFact(settings) }),
  plan: ({ objects: found }, { settings }: Desired<MinioSettings>) =>
    [
      ...bucketChanges(found, settings),
      ...quotaChanges(found, settings),
      ...policyChanges(found, settings),
      ...userChanges(found, settings),
      ...permissionChanges(found, settings),
      ...found.retired.map((accessKey) => retire(new Secret(accessKey), settings)),
    ].map((change, _, all) => (change === takesAccess(all) ? { ...change, ...leaving(formerBuckets(found, settings)) } : change)),
});

/** The change after which the application no longer reaches what earlier policies of it name. */
function takesAccess(changes: readonly Change[]): Change | undefined {
  return changes.find(({ resource }) => resource === POLICY || resource === RETIRED);
}

function formerBuckets({ former }: FoundObjects, { bucket }: MinioSettings): Left[] {
  const loss = `its objects stay, and the application, which will use ${bucket}, loses its access to them`;
  return former.map((name) => ({ kind: 'bucket', name, loss }));
}

const POLICY = "application's policy";
const RETIRED = 'access key of earlier settings';

type Told = Omit<Change, 'commands' | 'impact'>;

/** Nothing of it harms a server that goes back to its former files: it stays, so that those can go back. */
function change(settings: MinioSettings, told: Told, requests: readonly MinioRequest[]): Change {
  return { ...told, impact: 'none', commands: requests.map((request) => tell(settings, request)), undo: [] };
}

function bucketChanges({ bucket }: FoundObjects, settings: MinioSettings): Change[] {
  if (bucket) return [];
  const request: MinioRequest = { signer: rootOf(settings), method: 'PUT', path: `/${settings.bucket}` };
  return [change(settings, { resource: `bucket ${settings.bucket}`, action: 'create', because: 'missing' }, [request])];
}

/** Taken back at once, while the server has the root credentials of the settings. */
function quotaChanges({ quota: found = 0 }: FoundObjects, settings: MinioSettings): Change[] {
  const { bucket, quota } = settings;
  const wanted = quota === undefined ? found : quotaBytes(quota);
  if (wanted === found) return [];
  const put = (bytes: number) => tell(settings, putBucketQuota(rootOf(settings), bucket, bytes));
  return [
    {
      resource: `quota of bucket ${bucket}`,
      action: found === 0 ? 'create' : 'update',
      ...(found === 0 ? {} : { before: `${found} bytes` }),
      after: `${wanted} bytes`,
      impact: 'none',
      because: found === 0 ? 'there is none' : 'it differs from the settings',
      commands: [put(wanted)],
      undo: [put(found)],
    },
  ];
}

function policyChanges({ policy, formerPolicy }: FoundObjects, settings: MinioSettings): Change[] {
  if (policy === 'same') return [];
  const put = (document: string) => putPolicy(rootOf(settings), policyName(settings.accessKey), document);
  const request = put(policyDocument(settings.bucket));
  const resource = POLICY;
  const after = `the objects of ${settings.bucket}`;
  if (policy === 'absent') return [change(settings, { resource, action: 'create', after, because: 'missing' }, [request])];
  const because = 'it allows more or less than it should';
  const update = change(settings, { resource, action: 'update', before: 'other permissions', after, because }, [request]);
  // With the former settings the application uses what the former policy names.
  return [formerPolicy === undefined ? update : { ...update, undo: [tell(settings, put(formerPolicy))] }];
}

function userChanges({ user, secretKey }: FoundObjects, settings: MinioSettings): Change[] {
  const resource = "application's user";
  const put = (told: Omit<Told, 'resource'>) => [
    change(settings, { resource, ...told }, [putUser(rootOf(settings), applicationOf(settings))]),
  ];
  if (user === null) return put({ action: 'create', after: { secretKey: '(secret)' }, because: 'missing' });
  if (user.status !== 'enabled') {
    const after = { status: 'enabled', secretKey: '(secret)' };
    return put({ action: 'update', before: { status: user.status }, after, because: 'the application cannot sign in' });
  }
  if (secretKey === 'accepted') return [];
  const because = 'MinIO has another secret key; that one works no more then';
  return put({ action: 'update', before: { secretKey: '(secret, differs)' }, after: { secretKey: '(secret)' }, because });
}

function permissionChanges({ user }: FoundObjects, settings: MinioSettings): Change[] {
  if (user?.policies === 'same') return [];
  const { accessKey, bucket } = settings;
  const resource = "permissions of the application's user";
  const request = setUserPolicy(rootOf(settings), accessKey, policyName(accessKey));
  const after = `the objects of ${bucket}`;
  if (user === null) return [change(settings, { resource, action: 'create', after, because: 'missing' }, [request])];
  return [
    change(
      settings,
      { resource, action: 'update', before: 'other policies', after, because: 'the user must have its policy and no other' },
      [request],
    ),
  ];
}

function retire(accessKey: Secret, settings: MinioSettings): Change {
  const root = rootOf(settings);
  return {
    resource: RETIRED,
    action: 'destroy',
    before: '(secret)',
    impact: 'none',
    because: 'the settings name another access key: this one must work no more',
    commands: [
      // An interrupted run may have removed the user already.
      tell(settings, removeUser(root, accessKey), 'XMinioAdminNoSuchUser'),
      tell(settings, removePolicy(root, policyName(accessKey))),
    ],
    undo: [],
  };
}
