export { plan } from '../verbs.ts';
