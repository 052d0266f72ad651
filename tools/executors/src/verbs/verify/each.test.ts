import { expect, it } from 'vitest';
import { MooringError } from '../../engine/errors.ts';
import { redactor } from '../../engine/redactor.ts';
import { rendered } from '../../executors/shared/answer.ts';
import { verifyReport } from '../../report/verify.ts';
import { allVerified, type Verified, verifyEach } from './each.ts';

const answers = {
  redis: async () => ({
    instance: 'x-redis',
    what: 'redis 7.0.15',
    address: '10.0.0.2',
    health: { version: '7.0.15', detail: 'AUTH and PING' },
  }),
  minio: async () => ({
    ...{ instance: 'x-minio', what: 'minio v1', address: '10.0.0.3' },
    health: { version: 'v1', detail: 'put', degraded: ['the disk is 85 % full'] },
  }),
  postgres: async () => Promise.reject(new MooringError('writes fail', { page: 'services', next: 'look' })),
  rabbitmq: async () => new MooringError('x-rabbitmq is absent', { page: 'containers' }),
};
const verify = (...names: (keyof typeof answers)[]) =>
  verifyEach(
    names.map((project) => ({ project })),
    ({ project }) => answers[project as keyof typeof answers](),
  );

/** As it is printed. */
function result(verified: readonly Verified[], json: boolean) {
  return rendered(verifyReport, { ...allVerified('local', verified), clean: redactor([]) }, { json }, json);
}

it('one that fails does not hide the others, and fails alone', async () => {
  const { success, output, failed } = result(await verify('redis', 'postgres', 'minio', 'rabbitmq'), false);
  expect({ success, failed }).toEqual({ success: false, failed: ['postgres', 'rabbitmq'] });
  expect(output).toBe(
    [
      'redis: redis 7.0.15 is healthy (AUTH and PING, from inside and over 10.0.0.2)',
      'writes fail\n  next:    look\n  more:    docs/errors.md#the-services',
      'minio: minio v1 is degraded: the disk is 85 % full (put, from inside and over 10.0.0.3)',
      'x-rabbitmq is absent\n  more:    docs/errors.md#preflight-and-containers',
    ].join('\n'),
  );
});

it('is JSON where that is asked for, also of what fails', async () => {
  expect(JSON.parse(result(await verify('redis', 'minio'), true).output)).toEqual({
    environment: 'local',
    verified: [
      {
        project: 'redis',
        health: 'healthy',
        reasons: [],
        instance: 'x-redis',
        address: '10.0.0.2',
        version: '7.0.15',
        asked: 'AUTH and PING',
      },
      {
        ...{ project: 'minio', health: 'degraded', reasons: ['the disk is 85 % full'], instance: 'x-minio', address: '10.0.0.3' },
        ...{ version: 'v1', asked: 'put' },
      },
    ],
  });
  expect(JSON.parse(result(await verify('postgres', 'rabbitmq'), true).output).verified).toMatchObject([
    { project: 'postgres', health: 'unhealthy', reasons: ['writes fail'] },
    { project: 'rabbitmq', health: 'unknown', reasons: ['x-rabbitmq is absent'] },
  ]);
});

it('a fault of ours is not told as one of the service', async () => {
  await expect(verifyEach([{ project: 'redis' }], async () => Promise.reject(new TypeError('x')))).rejects.toThrow(TypeError);
});
