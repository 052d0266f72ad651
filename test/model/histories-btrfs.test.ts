import { neverLoses } from './histories.ts';
import { onBtrfs } from './process.ts';

neverLoses('btrfs', onBtrfs);
