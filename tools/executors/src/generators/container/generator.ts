import { generator } from '../shared/generator.ts';
import { addContainer } from './add-container.ts';
import { containerOptions } from './options.ts';

const container = generator('container', containerOptions, addContainer);
export default container;
