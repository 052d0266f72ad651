import { neverLoses } from './histories.ts';
import { onZfs } from './process.ts';

neverLoses('ZFS', onZfs);
