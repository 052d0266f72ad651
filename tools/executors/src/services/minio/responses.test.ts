import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { read } from '../../engine/command.ts';
import { Secret } from '../../engine/secret.ts';
import { parseObjects } from './objects-facts.ts';
import { parseResponses, responsesOf } from './responses.ts';
import { settings } from './settings.ts';

// Recorded from minio v0.0.0-20260212201848-7aac2a2c5b7c by the objects stage's own questions.
const transcript = (name: string) => readFileSync(join(import.meta.dirname, 'transcripts', name));
const given = (accessKey = 'veza-app', bucket = 'veza-dev') =>
  settings.parse({
    rootUser: new Secret('root-of-dev'),
    rootPassword: new Secret('first-root-password'),
    accessKey: new Secret(accessKey),
    secretKey: new Secret('first-secret-key'),
    bucket,
  });

describe('the answers of a real MinIO', () => {
  it('when all is as it should be', () => {
    expect(parseObjects(parseResponses(transcript('converged.http'), 4), given())).toEqual({
      bucket: true,
      policy: 'same',
      user: { status: 'enabled', policies: 'same' },
      secretKey: 'accepted',
      retired: [],
      former: [],
    });
  });

  it('when neither bucket nor user is there, and another access key was', () => {
    expect(parseObjects(parseResponses(transcript('nothing-there.http'), 4), given('nobody', 'not-there'))).toEqual({
      bucket: false,
      policy: 'absent',
      user: null,
      secretKey: 'unknown',
      retired: ['veza-app'],
      former: ['veza-dev'],
    });
  });

  it('when the bucket has another name in the settings: the former one is there, and the policy names it', () => {
    expect(parseObjects(parseResponses(transcript('bucket-renamed.http'), 4), given('veza-app', 'veza-two'))).toMatchObject({
      bucket: false,
      policy: 'differs',
      formerPolicy: expect.stringContaining('arn:aws:s3:::veza-dev/*'),
      former: ['veza-dev'],
    });
  });

  it('when the bucket has a quota, which is asked for where the settings name one', () => {
    const wanted = settings.parse({ ...given(), quota: '2gb' });
    expect(parseObjects(parseResponses(transcript('quota.http'), 5), wanted).quota).toBe(2 ** 30);
  });

  it('when it has another secret key', () => {
    expect(parseObjects(parseResponses(transcript('other-secret-key.http'), 4), given()).secretKey).toBe('refused');
  });

  it('when it has another root password: an error, not "nothing is there"', () => {
    expect(() => parseObjects(parseResponses(transcript('other-root-password.http'), 4), given())).toThrow(
      'the administrator cannot list the policies: MinIO answers 403 SignatureDoesNotMatch',
    );
  });
});

describe('answers that are not whole', () => {
  const whole = transcript('converged.http');

  it('are refused wherever they are cut', () => {
    for (let length = 0; length < whole.length; length += 7) {
      expect(() => parseResponses(whole.subarray(0, length), 4), `cut at ${length}`).toThrow();
    }
  });

  it('are refused when another server answers', () => {
    expect(() => parseResponses(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n\r\n'), 1)).toThrow('not an HTTP answer');
  });

  it('are told with the command when MinIO could not be asked', () => {
    const command = read(['bash', '-euc', 'exec 3<>/dev/tcp/127.0.0.1/9000']);
    expect(() => responsesOf({ command, code: 1, stdout: '', stderr: 'bash: connect: Connection refused' }, 1)).toThrow(
      'MinIO could not be asked',
    );
  });
});

it('chunked answers are put together', () => {
  const text =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n';
  const [first, second] = parseResponses(Buffer.from(text), 2);
  expect(first?.body).toBe('abcdef');
  expect(second?.status).toBe(204);
});
