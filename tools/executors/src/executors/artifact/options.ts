import { z } from 'zod';
import type { ArtifactOptions } from '../../verbs/artifact/options.ts';
import { json } from '../shared/fields.ts';

/** Options of `artifact`. It asks no environment's host, and so needs no environment. */
export const artifactSchema = z.strictObject({ json }) satisfies z.ZodType<ArtifactOptions>;
