import { entry } from '../shared/entry.ts';

const environment = entry('environment', async () => {
  const [{ generator }, { addEnvironment }, { environmentOptions }] = await Promise.all([
    import('../shared/generator.ts'),
    import('./environment.ts'),
    import('./options.ts'),
  ]);
  return generator('environment', environmentOptions, addEnvironment);
});
export default environment;
