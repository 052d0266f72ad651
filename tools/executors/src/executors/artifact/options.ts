import { z } from 'zod';
import { json } from '../shared/fields.ts';

/** Options of `artifact`. It asks no environment's host, and so needs no environment. */
export const artifactSchema = z.strictObject({ json });
export type ArtifactOptions = z.output<typeof artifactSchema>;
