import { createInterface } from 'node:readline/promises';
import type { Ask } from '../../shared/request.ts';

/** Asks on the terminal; nothing where there is none. */
export function terminalAsk(): Ask | undefined {
  if (!process.stdin.isTTY) return undefined;
  return async (question) => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await terminal.question(question);
    terminal.close();
    return answer.trim();
  };
}
