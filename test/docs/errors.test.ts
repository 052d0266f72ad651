import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PAGES } from '../../tools/executors/src/engine/pages.ts';
import { explainedErrors } from '../../tools/executors/src/error-tables.ts';
import { errorTexts, everyText, SOURCES, shellPrograms } from './error-texts.ts';
import { documentOf, ROOT } from './markdown.ts';

it.each(Object.entries(PAGES))('the page of %s is there: %s', (_, page) => {
  const [file = '', anchor] = page.split('#');
  expect(anchor === undefined || documentOf(file).anchors.has(anchor), `${page}: ${[...documentOf(file).anchors].join(', ')}`).toBe(true);
});

/** Each explanation, with the room that has it. */
const explanations = Object.entries(explainedErrors(SOURCES)).flatMap(([section, errors]) =>
  errors.map((error) => ({ ...error, section })),
);

/** The messages that are explained, as the words between what differs (`…`). */
const explained = explanations
  .flatMap(({ message }) => [...message.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text.split('…').map((part) => part.trim())))
  .map((parts) => parts.filter(Boolean))
  .filter((parts) => parts.join('').length >= 5);

/** Nx's own message, which the page explains because Nx does not. */
const OF_NX = 'Failed to process project graph';

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

describe('the explanations in errors.json', () => {
  it('have each error that the code can print, by its words', () => {
    const texts = errorTexts();
    expect(texts.length).toBeGreaterThan(300);
    expect(texts.filter(({ text }) => !explained.some((words) => has(text, words))).map(({ at, text }) => `${at}: ${text}`)).toEqual([]);
  });

  it('have no error that the code cannot print any more', () => {
    const code = [...everyText(), ...shellPrograms()];
    const written = (part: string) => part.split(/[:;()]/).every((words) => code.some((text) => text.includes(words.trim())));
    const gone = explained.filter((words) => !words[0]?.startsWith(OF_NX) && !words.every(written));
    expect(gone.map((words) => words.join(' … '))).toEqual([]);
  });

  it('are all on the page', () => {
    const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
    const regions = [...page.matchAll(/<!-- generated:errors-([a-z-]+) -->/g)].map(([, section]) => section);
    expect(regions.toSorted()).toEqual([...new Set(explanations.map(({ section }) => section))].toSorted());
  });
});

/** docs/decisions/0024-messages.md: words that a message does without. */
const AVOIDED: readonly RegExp[] = [
  /\bmend(s|ed|ing)?\b/i,
  /(?<!\bthere |\bwhere )\bis no (?!longer\b|more\b)/i,
  /\bNothing says it\b/,
  /\bnot to be had\b/,
  /\b(did|does) not tell\b/,
  /\btells? of\b/,
  /\btold of\b/,
  /\bone's own\b/,
];

it('no text uses words that the guide avoids: no error, help text, progress or heading', () => {
  expect(everyText().filter((text) => AVOIDED.some((word) => word.test(text)))).toEqual([]);
});

it('an error is one sentence without an exclamation mark', () => {
  const found = errorTexts().filter(({ text }) => /[a-z]!(\s|$)/.test(text) || (/\.$/.test(text) && !/[.?] /.test(text)));
  expect(found.map(({ at, text }) => `${at}: ${text}`)).toEqual([]);
});
