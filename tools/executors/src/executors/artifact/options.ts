import { z } from 'zod';
import { json } from '../../engine/option-fields.ts';
import type { ArtifactOptions } from '../../verbs/artifact/options.ts';

/** Options of `artifact`. It asks no environment's host, and so needs no environment. */
export const artifactSchema = z.strictObject({ json }) satisfies z.ZodType<ArtifactOptions>;
