import { z } from 'zod';
import { hostPart } from '../../engine/names.ts';
import { names } from '../../engine/option-fields.ts';
import { services } from '../../services/index.ts';

const SERVICES = Object.keys(services).join(', ');

/** Options of `nx g nx-mooring:container <name>`. */
export const containerOptions = z.strictObject({
  name: hostPart.meta({
    description: "Name of the container: its folder's, its project's, and after the environment's prefix its instance's",
    examples: ['redis'],
    $default: { $source: 'argv', index: 0 },
    'x-prompt': `Which container? (${SERVICES}, or a name of your own)`,
  }),
  service: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, `expected the name of a service: ${SERVICES} or one of your own`)
    .optional()
    .meta({
      description: `Service in it: ${SERVICES}, or the name of one of your own; the container's name when left out`,
      examples: ['redis'],
    }),
  environments: names('Only in these environments; in all when left out', 'staging,prod'),
});
export type ContainerOptions = z.output<typeof containerOptions>;
