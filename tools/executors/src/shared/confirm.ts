import { createInterface } from 'node:readline/promises';
import { InputError } from '../engine/errors.ts';

/**
 * Asks on the terminal.
 *
 * @param why what needs an answer: `this takes services down`
 * @param next what to give where there is no terminal
 * @returns the answer, without spaces around it
 * @throws InputError where there is none
 */
export async function ask(question: string, why: string, next: string): Promise<string> {
  if (!process.stdin.isTTY) throw new InputError(`${why}, and there is no terminal to ask on`, { next });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(question);
  terminal.close();
  return answer.trim();
}
