import { generator } from '../shared/generator.ts';
import { addApp } from './app.ts';
import { appOptions } from './options.ts';

const app = generator('app', appOptions, addApp);
export default app;
