import { entry } from '../shared/entry.ts';

const secrets = entry('secrets', async () => {
  const [{ generator }, { askForSecret }, { secretsOptions }, { changeSecrets }] = await Promise.all([
    import('../shared/generator.ts'),
    import('./ask.ts'),
    import('./options.ts'),
    import('./secrets.ts'),
  ]);
  return generator('secrets', secretsOptions, (tree, options) =>
    changeSecrets(tree, options, { variables: process.env, ask: (name) => askForSecret(name, process.stdin, process.stderr) }),
  );
});
export default secrets;
