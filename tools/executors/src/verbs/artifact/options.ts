import { z } from 'zod';
import { json } from '../../engine/option-fields.ts';
import type { VerbRequest } from '../../shared/request.ts';

/** Options of `artifact`. It asks no environment's host, and so needs no environment. */
export const schema = z.strictObject({ json });
export type ArtifactOptions = z.output<typeof schema>;

/** It asks no environment's host, and so needs no environment. */
export type ArtifactRequest = Omit<VerbRequest<ArtifactOptions>, 'environment' | 'ask' | 'preview'>;
