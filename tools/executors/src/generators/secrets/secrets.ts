import type { Tree } from '@nx/devkit';
import { InputError } from '../../engine/errors.ts';
import { ageFiles } from '../../secrets/age-file.ts';
import { secretsSchema } from '../../secrets/settings.ts';
import { environmentName } from '../../workspace/files.ts';
import { mustParse } from '../../workspace/problems.ts';
import { unknownEnvironment } from '../../workspace/unknown.ts';
import type { Done } from '../shared/generator.ts';
import { filesOf, readJsonOf } from '../shared/tree.ts';
import { initialiseSecrets } from './init.ts';
import type { SecretsOptions } from './options.ts';
import { addValues, rotateValues } from './values.ts';
import { openVault } from './vault.ts';
import type { Edge, Work } from './work.ts';

/**
 * Changes the encrypted secrets of an environment; see {@link SecretsOptions}.
 *
 * @throws InputError, SafetyError, ProblemsError; the tree is to be dropped then
 */
export async function changeSecrets(tree: Tree, options: SecretsOptions, edge: Edge): Promise<readonly string[] | Done> {
  const work = workOf(tree, options, edge);
  if (options.action === 'init') return initialiseSecrets(work);
  if (work.settings.provider !== 'age')
    throw new InputError(`${work.file}: its secrets are not in an encrypted file: provider "${work.settings.provider}"`, {
      next: `npx nx g nx-mooring:secrets ${options.environment} --action=init`,
    });
  switch (options.action) {
    case 'add':
      return addValues(work);
    case 'rotate':
      return rotateValues(work);
    case 'reencrypt': {
      const vault = await openVault(work);
      const recipients = await vault.write(vault.text);
      return [
        `${work.files.encrypted}: encrypted to ${recipients.length} public keys`,
        'Whoever was taken out can still read what was committed before: rotate what they must not know.',
      ];
    }
  }
}

function workOf(tree: Tree, options: SecretsOptions, edge: Edge): Work {
  const { infra, files } = filesOf(tree);
  const { environment } = options;
  const file = `${infra}/environments/${environment}.json`;
  if (!tree.exists(file)) throw unknownEnvironment(environment, files.environments.map(environmentName));
  const content = readJsonOf(tree, file) as { secrets?: unknown };
  const settings = mustParse(secretsSchema, content.secrets, { file, under: ['secrets'] });
  return {
    tree,
    options,
    edge,
    file,
    settings,
    files: ageFiles(infra, environment, settings.provider === 'age' ? settings : { provider: 'age' }),
  };
}
