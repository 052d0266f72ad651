import { generator } from '../shared/generator.ts';
import { askForSecret } from './ask.ts';
import { secretsOptions } from './options.ts';
import { changeSecrets } from './secrets.ts';

const secrets = generator('secrets', secretsOptions, (tree, options) =>
  changeSecrets(tree, options, { variables: process.env, ask: (name) => askForSecret(name, process.stdin, process.stderr) }),
);
export default secrets;
