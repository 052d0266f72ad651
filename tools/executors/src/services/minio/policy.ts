import { z } from 'zod';
import { joinSecret, type Secret } from '../../engine/secret.ts';

const PREFIX = 'mooring-';

/**
 * Name of the application's policy. It holds the access key, so that a key that the settings name no more is found by
 * its policy: MinIO lists users only encrypted with Argon2, but policies as they are.
 */
export function policyName(accessKey: Secret): Secret {
  return joinSecret([PREFIX, accessKey]);
}

/** The access key that a policy of ours was made for; none for a policy of others. */
export function accessKeyOf(policy: string): string | undefined {
  return policy.startsWith(PREFIX) ? policy.slice(PREFIX.length) : undefined;
}

/**
 * What the application may do: use the objects of one bucket. Not: change or delete the bucket, its policy, its
 * versioning, or single versions, where somebody has turned versioning on as a safety net.
 */
export function policyDocument(bucket: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        Resource: [`arn:aws:s3:::${bucket}`],
      },
      {
        Effect: 'Allow',
        Action: [
          's3:AbortMultipartUpload',
          's3:DeleteObject',
          's3:DeleteObjectTagging',
          's3:GetObject',
          's3:GetObjectTagging',
          's3:ListMultipartUploadParts',
          's3:PutObject',
          's3:PutObjectTagging',
        ],
        Resource: [`arn:aws:s3:::${bucket}/*`],
      },
    ],
  });
}

/** The buckets that a policy of ours names, which {@link policyDocument} made for the settings of then. */
export function bucketsIn(document: unknown): string[] {
  const known = policySchema.safeParse(document);
  const resources = known.data?.Statement.flatMap(({ Resource }) => Resource ?? []).flat() ?? [];
  return [...new Set(resources.flatMap((resource) => /^arn:aws:s3:::([a-z0-9][a-z0-9-]*)(?:\/\*)?$/.exec(resource)?.[1] ?? []))];
}

const policySchema = z.object({ Statement: z.array(z.object({ Resource: z.union([z.string(), z.array(z.string())]).optional() })) });

/** Whether two policy documents say the same: MinIO gives sets back in an order of its own. */
export function samePolicy(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => JSON.stringify(sorted(item)));
    return items.sort();
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
