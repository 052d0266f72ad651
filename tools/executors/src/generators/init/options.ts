import { z } from 'zod';
import { hostAlias, incusName, relativePath } from '../../engine/names.ts';
import { names } from '../../engine/option-fields.ts';

/** Options of `nx g nx-mooring:init`. What is in the workspace already is left as it is. */
export const initSchema = z.strictObject({
  infra: relativePath
    .optional()
    .meta({ description: 'Folder of the containers and environments; `infra` when left out', examples: ['infra'] }),
  host: hostAlias.default('local').meta({ description: 'Host of the environment `local`: `local`, or an SSH alias', examples: ['local'] }),
  project: incusName.default('default').meta({ description: 'Incus project of its containers', examples: ['default'] }),
  profiles: names('Incus profiles that its containers are launched with; `default` when left out', 'default,data'),
  image: z
    .string()
    .min(1)
    .default('debian/12')
    .meta({ description: 'Alias of the image in that Incus project', examples: ['debian/12'] }),
  network: incusName.default('incusbr0').meta({ description: 'Incus network of its containers', examples: ['incusbr0'] }),
  prefix: z
    .string()
    .optional()
    .meta({
      description: "Before the name of every container; the workspace's name and `-local-` when left out",
      examples: ['shop-local-'],
    }),
});
export type InitOptions = z.output<typeof initSchema>;
