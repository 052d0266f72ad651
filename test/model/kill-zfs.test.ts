import { killedEverywhere } from './killed.ts';
import { onZfs } from './process.ts';

killedEverywhere(onZfs);
