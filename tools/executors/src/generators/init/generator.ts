import { generator } from '../shared/generator.ts';
import { initialise } from './init.ts';
import { initSchema } from './options.ts';

const init = generator('init', initSchema, initialise);
export default init;
