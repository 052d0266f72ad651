import { z } from 'zod';
import { STEPS } from '../../plugin/targets.ts';
import { duration, environment, flag, names, text } from '../shared/fields.ts';

/** Options of the four steps of a deploy. They take the same ones: flags are forwarded along the chain. */
export const convergeSchema = z.strictObject({
  environment,
  step: z.enum(STEPS).meta({ description: 'Which step this target is: set by the plugin, never on the command line' }),
  release: text(
    'The release: 40 lower-case hex digits; MOORING_RELEASE or HEAD when left out',
    '0123456789abcdef0123456789abcdef01234567',
  ).optional(),
  allowDirty: flag('Deploy from a work tree with uncommitted changes, outside `local`'),
  leaseWait: duration('How long to wait for the lease of another run', '90s').optional(),
  leaseTake: text('Run id whose lease is taken over; for a run that is known to be dead', '20260131T235959-0f1e2d3c4b5a').optional(),
  create: names('Containers that may be created although their name is known elsewhere', 'redis'),
  adopt: names('Containers without our marks that are taken over', 'redis'),
  dryRun: flag('Show what would be done; change nothing'),
  timeout: duration('How long to wait for a container to be up', '5m').optional(),
});

/** What the use case is given: times in milliseconds. `environment` and `step` are told apart from them. */
export type ConvergeOptions = Omit<z.output<typeof convergeSchema>, 'environment' | 'step'>;
