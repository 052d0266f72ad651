import type { z } from 'zod';
import { defineService } from '../../engine/service.ts';
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
  // Nothing to quiesce: an object is written under .minio.sys/tmp and comes to its place, with its metadata, by a rename
  // (cmd/xl-storage.go, RenameData). A snapshot of the file system has it whole or not at all.
  health: { inside, outside },
  census,
  unit: UNIT,
  artifacts,
});
