import type { z } from 'zod';
import { defineService } from '../../engine/service.ts';
import { syncFolder } from '../sync.ts';
import { artifacts, binaries } from './binaries.ts';
import { census } from './census.ts';
import { config } from './config.ts';
import { inside, outside } from './health.ts';
import { objects } from './objects.ts';
import { type MinioSettings, settings } from './settings.ts';
import { UNIT } from './unit.ts';

/** MinIO with one bucket and one user that may use its objects and nothing else. */
export default defineService<MinioSettings>({
  name: 'minio',
  settings: settings as z.ZodType<MinioSettings>,
  stages: [binaries, config, objects],
  // MinIO has no command for it, and needs none: an object is written under .minio.sys/tmp and comes to its place, with its metadata, by a rename
  // (cmd/xl-storage.go, RenameData). A snapshot of the file system has it whole or not at all.
  quiesce: { before: ({ settings: { dataDir } }) => [syncFolder(dataDir)], timeoutMs: 60_000 },
  health: { inside, outside },
  census,
  unit: UNIT,
  artifacts,
  starter: (secret, container) => ({
    description: 'MinIO: uploads, by the S3 protocol',
    settings: {
      bucket: `${container}-\${environment}`,
      accessKey: secret('ACCESS_KEY'),
      secretKey: secret('SECRET_KEY'),
      rootUser: secret('ROOT_USER'),
      rootPassword: secret('ROOT_PASSWORD'),
    },
  }),
});
