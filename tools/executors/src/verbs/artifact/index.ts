export { artifact } from '../../usecases/verbs.ts';
