import { z } from 'zod';
import { branch, repository } from '../../apps/fields.ts';
import { hostPart } from '../../engine/names.ts';
import { flag, names } from '../../engine/option-fields.ts';

/** One value for each environment, in their order; the command line makes a number of `201`. */
const list = (description: string, example: string) =>
  z
    .union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))], 'expected values, separated by commas')
    .default([])
    .transform((value) => (Array.isArray(value) ? value.map(String) : String(value).split(',')).map((item) => item.trim()).filter(Boolean))
    .meta({ description, examples: [example] });

/** Options of `nx g nx-mooring:app <name>`. What they write is checked by the application's own schema. */
export const appOptions = z.strictObject({
  name: hostPart.meta({
    description: 'Name of the application, its folder and its project',
    examples: ['pote'],
    $default: { $source: 'argv', index: 0 },
    'x-prompt': 'What is the application called?',
  }),
  kind: z.enum(['node', 'python']).meta({ description: '`node` or `python`', examples: ['node'], 'x-prompt': 'node or python?' }),
  repository: repository.meta({ description: 'Where git fetches it', 'x-prompt': 'Its git repository?' }),
  description: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'What it does, for people', examples: ['Meter readings'] }),
  environments: names('The environments that it has a guest in; all that have `proxmox` when left out', 'dev,qa'),
  vmid: list("Proxmox's number of each guest, in the order of the environments", '201,211'),
  ip: list('Address of each guest with the length of its network, likewise', '10.20.0.101/24,10.20.0.111/24'),
  gateway: list('Gateway of each guest, or one for all', '10.20.0.1'),
  branch: branch.default('main').meta({ description: 'Branch that is deployed' }),
  gitHostKeys: names('Host keys of the git server: .pub files of the workspace. Needed over SSH', 'infra/git.pub'),
  frontend: flag('It has a front end with a process of its own'),
  needs: names('Data containers that are configured before it', 'postgres'),
});
export type AppOptions = z.output<typeof appOptions>;
