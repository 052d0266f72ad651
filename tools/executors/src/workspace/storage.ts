import { z } from 'zod';
import { hostPart } from '../engine/names.ts';
import { fileHead } from './file-head.ts';

/** `storage.json`: the project of the storage host: preflight, the snapshot set, the table of an environment. */
export const storageSchema = z
  .strictObject({
    ...fileHead,
    name: hostPart.default('zfs').meta({ description: 'Name of the project' }),
    description: z
      .string()
      .min(1)
      .meta({ examples: ['The storage host: preflight, snapshot sets, status'] }),
  })
  .meta({ title: 'nx-mooring storage' });
