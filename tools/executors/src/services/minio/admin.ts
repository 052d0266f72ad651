import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { joinSecret, type Secret } from '../../engine/secret.ts';
import { encoded, type MinioRequest, type Signer } from './requests.ts';

/** MinIO's admin API, version 3 (cmd/admin-router.go), as far as it is needed. */
const ADMIN = '/minio/admin/v3';

export const userInfo = (root: Signer, user: Secret): MinioRequest => ({
  signer: root,
  method: 'GET',
  path: joinSecret([`${ADMIN}/user-info?accessKey=`, encoded(user)]),
});

export const listPolicies = (root: Signer): MinioRequest => ({ signer: root, method: 'GET', path: `${ADMIN}/list-canned-policies` });

export const putPolicy = (root: Signer, name: Secret, document: string): MinioRequest => ({
  signer: root,
  method: 'PUT',
  path: joinSecret([`${ADMIN}/add-canned-policy?name=`, encoded(name)]),
  body: document,
});

export const removePolicy = (root: Signer, name: Secret): MinioRequest => ({
  signer: root,
  method: 'DELETE',
  path: joinSecret([`${ADMIN}/remove-canned-policy?name=`, encoded(name)]),
});

export const bucketQuota = (root: Signer, bucket: string): MinioRequest => ({
  signer: root,
  method: 'GET',
  path: `${ADMIN}/get-bucket-quota?bucket=${bucket}`,
});

/** @param bytes the most that the bucket may hold; 0 takes the quota away */
export const putBucketQuota = (root: Signer, bucket: string, bytes: number): MinioRequest => ({
  signer: root,
  method: 'PUT',
  path: `${ADMIN}/set-bucket-quota?bucket=${bucket}`,
  body: JSON.stringify(bytes === 0 ? { quota: 0 } : { quota: bytes, quotatype: 'hard' }),
});

/** Makes a user, or gives it this secret key; enabled either way. Its policies stay. */
export const putUser = (root: Signer, user: Signer): MinioRequest => ({
  signer: root,
  method: 'PUT',
  path: joinSecret([`${ADMIN}/add-user?accessKey=`, encoded(user.accessKey)]),
  body: () => encrypt(root.secretKey.reveal(), JSON.stringify({ secretKey: user.secretKey.reveal(), status: 'enabled' })),
});

export const removeUser = (root: Signer, user: Secret): MinioRequest => ({
  signer: root,
  method: 'DELETE',
  path: joinSecret([`${ADMIN}/remove-user?accessKey=`, encoded(user)]),
});

/** Makes this policy the one and only of the user (unlike `idp/builtin/policy/attach`, which adds). */
export const setUserPolicy = (root: Signer, user: Secret, policy: Secret): MinioRequest => ({
  signer: root,
  method: 'PUT',
  path: joinSecret([`${ADMIN}/set-user-or-group-policy?policyName=`, encoded(policy), '&userOrGroup=', encoded(user), '&isGroup=false']),
});

/**
 * What `madmin.EncryptData` makes (minio/madmin-go encrypt.go, in the form that Node can do without further packages):
 * salt (32 bytes), 2 for PBKDF2 with AES-256-GCM, nonce (8 bytes), then a stream of secure-io/sio-go with one fragment.
 * In such a stream fragment 0 is empty and its tag is, after the byte 0x80 of the last fragment, what fragment 1 authenticates beside itself.
 *
 * @param text shorter than 16 KiB, the size of a fragment
 */
export function encrypt(password: string, text: string, salt: Buffer = randomBytes(32), nonce: Buffer = randomBytes(8)): Buffer {
  const plain = Buffer.from(text);
  if (plain.length > 1 << 14) throw new Error('too long for one fragment');
  const key = pbkdf2Sync(password, salt, 8192, 32, 'sha256');
  const seal = (sequence: number, data: Buffer, associated: Buffer) => {
    const counter = Buffer.alloc(4);
    counter.writeUInt32LE(sequence);
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.concat([nonce, counter]));
    cipher.setAAD(associated);
    return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
  };
  const first = seal(0, Buffer.alloc(0), Buffer.alloc(0));
  return Buffer.concat([salt, Buffer.from([2]), nonce, seal(1, plain, Buffer.concat([Buffer.from([0x80]), first]))]);
}
