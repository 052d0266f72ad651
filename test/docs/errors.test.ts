import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PAGES } from '../../tools/executors/src/engine/pages.ts';
import { errorTexts } from './error-texts.ts';
import { documentOf, ROOT } from './markdown.ts';

it.each(Object.entries(PAGES))('the page of %s is there: %s', (_, page) => {
  const [file = '', anchor] = page.split('#');
  expect(anchor === undefined || documentOf(file).anchors.has(anchor), `${page}: ${[...documentOf(file).anchors].join(', ')}`).toBe(true);
});

/** The rows of the tables of docs/errors.md, in cells. */
const rows = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| message '))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );

/** The messages that the page explains, as the words between what differs (`…`). */
const explained = rows
  .flatMap(([message = '']) => [...message.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text.split('…').map((part) => part.trim())))
  .map((parts) => parts.filter(Boolean))
  .filter((parts) => parts.join('').length >= 5);

/** Whether a text has the words, in their order. */
function has(text: string, words: readonly string[]): boolean {
  let at = 0;
  for (const part of words) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return true;
}

describe('docs/errors.md', () => {
  it('has each error that the code can print, by its words', () => {
    const texts = errorTexts();
    expect(texts.length).toBeGreaterThan(300);
    expect(texts.filter(({ text }) => !explained.some((words) => has(text, words))).map(({ at, text }) => `${at}: ${text}`)).toEqual([]);
  });

  it('says of each what to do', () => {
    expect(rows.filter((cells) => cells.length !== 3 || cells[0] === '' || cells[2] === '')).toEqual([]);
  });
});

/** docs/decisions/0024-messages.md: words that a message does without. */
const AVOIDED: readonly RegExp[] = [
  /\bmend(s|ed|ing)?\b/i,
  /(?<!\bthere |\bwhere )\bis no (?!longer\b|more\b)/i,
  /\bNothing says it\b/,
  /\bnot to be had\b/,
];

it('no error uses words that the guide avoids', () => {
  const found = errorTexts().filter(({ text }) => AVOIDED.some((word) => word.test(text)));
  expect(found.map(({ at, text }) => `${at}: ${text}`)).toEqual([]);
});
