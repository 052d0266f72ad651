import { InputError } from '../engine/errors.ts';
import type { Ask } from './request.ts';

/**
 * Asks what cannot be done without an answer.
 *
 * @param why what needs one: `this takes services down`
 * @param next what to give where there is no terminal
 * @throws InputError where there is none
 */
export async function confirm(ask: Ask | undefined, question: string, why: string, next: string): Promise<string> {
  if (ask === undefined) throw new InputError(`${why}, and there is no terminal to ask on`, { next });
  return ask(question);
}
