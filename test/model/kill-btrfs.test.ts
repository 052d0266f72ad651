import { killedEverywhere } from './killed.ts';
import { onBtrfs } from './process.ts';

killedEverywhere(onBtrfs);
