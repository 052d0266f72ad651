import { createInterface } from 'node:readline/promises';

export const say = (line) => process.stdout.write(`${line}\n`);
export const heading = (title) => say(`\n${process.stdout.isTTY ? `\x1b[1m${title}\x1b[0m` : `== ${title}`}`);
export const seconds = (began) => ((performance.now() - began) / 1000).toFixed(1);

export async function confirm(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } catch {
    return false;
  } finally {
    terminal.close();
  }
}
