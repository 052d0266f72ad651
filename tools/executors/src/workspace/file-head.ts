import { z } from 'zod';
import { FILE_VERSION } from './file-version.ts';

/** The fields that every file of the workspace may have. */
export const fileHead = {
  $schema: z.string().optional(),
  version: z
    .literal(FILE_VERSION)
    .optional()
    .meta({ description: `Version of this file's form; ${FILE_VERSION} when left out` }),
};
