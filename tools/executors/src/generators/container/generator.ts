import { entry } from '../shared/entry.ts';

const container = entry('container', async () => {
  const [{ generator }, { addContainer }, { containerOptions }] = await Promise.all([
    import('../shared/generator.ts'),
    import('./add-container.ts'),
    import('./options.ts'),
  ]);
  return generator('container', containerOptions, addContainer);
});
export default container;
