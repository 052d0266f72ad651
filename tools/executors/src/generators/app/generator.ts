import { entry } from '../shared/entry.ts';

const app = entry('app', async () => {
  const [{ generator }, { addApp }, { appOptions }] = await Promise.all([
    import('../shared/generator.ts'),
    import('./app.ts'),
    import('./options.ts'),
  ]);
  return generator('app', appOptions, addApp);
});
export default app;
