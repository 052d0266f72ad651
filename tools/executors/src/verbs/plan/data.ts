export { plan } from '../../usecases/verbs.ts';
