export { inventory } from '../../usecases/verbs.ts';
