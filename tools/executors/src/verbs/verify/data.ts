export { verify } from '../../usecases/verbs.ts';
