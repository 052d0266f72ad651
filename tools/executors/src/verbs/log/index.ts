export { log } from '../../usecases/verbs.ts';
