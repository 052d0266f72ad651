export { log } from '../verbs.ts';
