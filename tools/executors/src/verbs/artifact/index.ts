export { artifact } from '../verbs.ts';
