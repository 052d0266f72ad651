import { z } from 'zod';
import type { Fact } from '../../engine/fact.ts';
import { bucketQuota, listPolicies, userInfo } from './admin.ts';
import { accessKeyOf, bucketsIn, policyDocument, policyName, samePolicy } from './policy.ts';
import { ask, type MinioRequest, type Signer } from './requests.ts';
import { bucketsOf, type MinioResponse, responsesOf, unexpected } from './responses.ts';
import type { MinioSettings } from './settings.ts';

export type FoundObjects = {
  readonly bucket: boolean;
  /** The application's policy, as MinIO has it. */
  readonly policy: 'same' | 'differs' | 'absent';
  /** Its text, where it differs: what takes a change of it back. */
  readonly formerPolicy?: string;
  /** The application's user; `policies` says whether the policy is its one and only. */
  readonly user: { readonly status: string; readonly policies: 'same' | 'differs' } | null;
  /** Whether MinIO takes the application's secret key; `unknown` while there is no such user, or a disabled one. */
  readonly secretKey: 'accepted' | 'refused' | 'unknown';
  /** Access keys of earlier settings that still work. */
  readonly retired: readonly string[];
  /** Buckets of earlier settings: they are there, and policies of ours name them in place of the settings' own. */
  readonly former: readonly string[];
  /** The most that the bucket may hold, in bytes; 0 for no limit. Asked only where the settings name one. */
  readonly quota?: number;
};

/** The administrator, for the admin API. */
export function rootOf({ rootUser, rootPassword }: MinioSettings): Signer {
  return { accessKey: rootUser, secretKey: rootPassword };
}

/** The application, as it signs its requests. */
export function applicationOf({ accessKey, secretKey }: MinioSettings): Signer {
  return { accessKey, secretKey };
}

/** The objects stage's one fact: its questions on one connection. */
export function objectsFact(settings: MinioSettings): Fact<FoundObjects> {
  const root = rootOf(settings);
  const application = applicationOf(settings);
  const requests: MinioRequest[] = [
    { signer: root, method: 'GET', path: '/' },
    listPolicies(root),
    userInfo(root, application.accessKey),
    { signer: application, method: 'GET', path: `/${settings.bucket}?list-type=2&max-keys=1` },
    ...(settings.quota === undefined ? [] : [bucketQuota(root, settings.bucket)]),
  ];
  return {
    name: 'bucket, policy and user',
    command: ask(settings, requests),
    parse: (result) => parseObjects(responsesOf(result, requests.length), settings),
  };
}

const quotaSchema = z.object({ quota: z.int().min(0) });
const policiesSchema = z.record(z.string(), z.unknown());
const userSchema = z.object({ status: z.string(), policyName: z.string().optional() });

/** @throws CommandError on an answer that says neither "there" nor "not there" */
export function parseObjects(responses: readonly MinioResponse[], settings: MinioSettings): FoundObjects {
  const [list, policies, user, listing, quota] = responses as [MinioResponse, MinioResponse, MinioResponse, MinioResponse, MinioResponse?];
  const name = policyName(settings.accessKey).reveal();
  if (policies.status !== 200) throw unexpected(policies, 'the administrator cannot list the policies');
  const documents = policiesSchema.parse(JSON.parse(policies.body));
  const document = documents[name];
  const wanted = JSON.parse(policyDocument(settings.bucket));
  const policy = document === undefined ? 'absent' : samePolicy(document, wanted) ? 'same' : 'differs';
  const buckets = bucketsOf(list);
  const ours = Object.entries(documents).filter(([policy]) => accessKeyOf(policy) !== undefined);
  const named = ours.flatMap(([, one]) => bucketsIn(one));
  return {
    bucket: buckets.includes(settings.bucket),
    policy,
    ...(policy === 'differs' ? { formerPolicy: JSON.stringify(document) } : {}),
    user: parseUser(user, name),
    secretKey: parseAccess(listing),
    retired: ours.flatMap(([other]) => (other === name ? [] : (accessKeyOf(other) ?? []))),
    former: named.includes(settings.bucket) ? [] : buckets.filter((bucket) => named.includes(bucket)),
    ...(quota === undefined ? {} : { quota: parseQuota(quota) }),
  };
}

/** A bucket that is not there yet has none. */
function parseQuota(response: MinioResponse): number {
  if (response.status === 404 && response.code === 'NoSuchBucket') return 0;
  if (response.status !== 200) throw unexpected(response, 'the quota of the bucket is not known');
  return quotaSchema.parse(JSON.parse(response.body)).quota;
}

function parseUser(response: MinioResponse, policy: string): FoundObjects['user'] {
  if (response.status === 404 && response.code === 'XMinioAdminNoSuchUser') return null;
  if (response.status !== 200) throw unexpected(response, "it is not known whether the application's user is there");
  const { status, policyName: names = '' } = userSchema.parse(JSON.parse(response.body));
  return { status, policies: names === policy ? 'same' : 'differs' };
}

/** A listing that is refused for want of a permission, or of a bucket, was signed with the right secret key. */
function parseAccess(response: MinioResponse): FoundObjects['secretKey'] {
  if (response.status === 200 || response.code === 'AccessDenied' || response.code === 'NoSuchBucket') return 'accepted';
  if (response.code === 'SignatureDoesNotMatch') return 'refused';
  if (response.code === 'InvalidAccessKeyId') return 'unknown';
  throw unexpected(response, "it is not known whether MinIO takes the application's secret key");
}
