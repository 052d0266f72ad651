export { inventory } from '../verbs.ts';
