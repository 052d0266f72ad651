import { entry } from '../shared/entry.ts';

const init = entry('init', async () => {
  const [{ generator }, { initialise }, { initSchema }] = await Promise.all([
    import('../shared/generator.ts'),
    import('./init.ts'),
    import('./options.ts'),
  ]);
  return generator('init', initSchema, initialise);
});
export default init;
