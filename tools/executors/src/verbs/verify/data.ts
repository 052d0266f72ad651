export { verify } from '../verbs.ts';
