import { generator } from '../shared/generator.ts';
import { addEnvironment } from './environment.ts';
import { environmentOptions } from './options.ts';

const environment = generator('environment', environmentOptions, addEnvironment);
export default environment;
