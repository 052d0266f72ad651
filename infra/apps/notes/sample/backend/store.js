import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder that outlives releases. */
const folder = process.env.APP_SHARED ?? '.';
const file = join(folder, 'notes.jsonl');
const versionFile = join(folder, 'version');

/** The form of the notes that this release reads and writes. */
export const FORM = 2;

/** The form that the notes have now; 0 when there are none yet. */
export async function formOfNotes() {
  return Number(await readOr(versionFile, '0'));
}

export async function notes() {
  return (await readOr(file, ''))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

export async function add(text) {
  const note = { text, at: new Date().toISOString() };
  await appendFile(file, `${JSON.stringify(note)}\n`);
  return note;
}

/** Brings older notes to this form: in form 1 a note was a text alone. May be run again at any time. */
export async function migrate() {
  const all = (await notes()).map((note) => (typeof note === 'string' ? { text: note, at: null } : note));
  await replace(file, all.map((note) => `${JSON.stringify(note)}\n`).join(''));
  await replace(versionFile, `${FORM}\n`);
}

async function replace(path, text) {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function readOr(path, otherwise) {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return otherwise;
    throw error;
  }
}
