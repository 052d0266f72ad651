import { z } from 'zod';
import { applicationFields } from '../apps/settings.ts';
import { hostPart } from '../engine/names.ts';
import { guestSchema } from './app-guest.ts';
import { fileHead } from './file-head.ts';
import { keyOrFile } from './keys.ts';

/** `app.json`: one application and its guests. */
export const appSchema = z
  .strictObject({
    ...fileHead,
    name: hostPart.optional().meta({ description: "Name of the project; the folder's name when left out", examples: ['pote'] }),
    description: z
      .string()
      .min(1)
      .meta({ description: 'What it does, for `nx show project` and `nx graph`', examples: ['Notes of the town council'] }),
    needs: z
      .array(hostPart)
      .default([])
      .meta({ description: 'Data containers that are configured before it', examples: [['postgres']] }),
    ...applicationFields,
    authorizedKeys: z.array(keyOrFile).default([]).meta({ description: "Who may log in as `appuser`, beside the environment's keys" }),
    gitHostKeys: z
      .array(keyOrFile)
      .default([])
      .meta({ description: 'Host keys of the git server, as in its .pub files; no other is taken. Needed over SSH' }),
    environments: z
      .record(hostPart, guestSchema)
      .refine((all) => Object.keys(all).length > 0, 'expected at least one environment')
      .meta({ description: 'Its guest in each environment that it is part of' }),
  })
  .meta({ title: 'nx-mooring application' });

/** An application as its file has it, defaults filled in. */
export type AppFile = z.output<typeof appSchema>;
