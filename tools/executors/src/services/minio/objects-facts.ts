import { z } from 'zod';
import type { Fact } from '../../engine/fact.ts';
import { listPolicies, userInfo } from './admin.ts';
import { accessKeyOf, policyDocument, policyName, samePolicy } from './policy.ts';
import { ask, type MinioRequest, type Signer } from './requests.ts';
import { type MinioResponse, responsesOf, unexpected } from './responses.ts';
import type { MinioSettings } from './settings.ts';

export type FoundObjects = {
  readonly bucket: boolean;
  /** The application's policy, as MinIO has it. */
  readonly policy: 'same' | 'differs' | 'absent';
  /** The application's user; `policies` says whether the policy is its one and only. */
  readonly user: { readonly status: string; readonly policies: 'same' | 'differs' } | null;
  /** Whether MinIO takes the application's secret key; `unknown` while there is no such user, or a disabled one. */
  readonly secretKey: 'accepted' | 'refused' | 'unknown';
  /** Access keys of earlier settings that still work. */
  readonly retired: readonly string[];
};

/** The administrator, for the admin API. */
export function rootOf({ rootUser, rootPassword }: MinioSettings): Signer {
  return { accessKey: rootUser, secretKey: rootPassword };
}

/** The application, as it signs its requests. */
export function applicationOf({ accessKey, secretKey }: MinioSettings): Signer {
  return { accessKey, secretKey };
}

/** The objects stage's one fact: four questions on one connection. */
export function objectsFact(settings: MinioSettings): Fact<FoundObjects> {
  const root = rootOf(settings);
  const application = applicationOf(settings);
  const requests: MinioRequest[] = [
    { signer: root, method: 'GET', path: `/${settings.bucket}?location` },
    listPolicies(root),
    userInfo(root, application.accessKey),
    { signer: application, method: 'GET', path: `/${settings.bucket}?list-type=2&max-keys=1` },
  ];
  return {
    name: 'bucket, policy and user',
    command: ask(settings, requests),
    parse: (result) => parseObjects(responsesOf(result, requests.length), settings),
  };
}

const policiesSchema = z.record(z.string(), z.unknown());
const userSchema = z.object({ status: z.string(), policyName: z.string().optional() });

/** @throws CommandError on an answer that says neither "there" nor "not there" */
export function parseObjects(responses: readonly MinioResponse[], settings: MinioSettings): FoundObjects {
  const [location, policies, user, listing] = responses as [MinioResponse, MinioResponse, MinioResponse, MinioResponse];
  const name = policyName(settings.accessKey).reveal();
  if (policies.status !== 200) throw unexpected(policies, 'the administrator cannot list the policies');
  const documents = policiesSchema.parse(JSON.parse(policies.body));
  const document = documents[name];
  return {
    bucket: parseBucket(location, settings.bucket),
    policy: document === undefined ? 'absent' : samePolicy(document, JSON.parse(policyDocument(settings.bucket))) ? 'same' : 'differs',
    user: parseUser(user, name),
    secretKey: parseAccess(listing),
    retired: Object.keys(documents).flatMap((other) => (other === name ? [] : (accessKeyOf(other) ?? []))),
  };
}

function parseBucket(response: MinioResponse, bucket: string): boolean {
  if (response.status === 200) return true;
  if (response.status === 404 && response.code === 'NoSuchBucket') return false;
  throw unexpected(response, `it is not known whether the bucket ${bucket} is there`);
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
