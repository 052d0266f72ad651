import { bundle } from '../../../tools/executors/src/engine/bundle.ts';
import { reveal } from '../../../tools/executors/src/engine/secret.ts';
import { type Answer, NotModelled } from './answer.ts';

/** A command as a shell script has it. */
export type Call = { readonly argv: readonly string[]; readonly stdin: string | undefined };
export type Bundle = { readonly calls: readonly Call[]; readonly order: 'parallel' | 'sequence' };

// What the real builder writes around its commands, taken from it: a word that changes there is known here, or refused.
const frameOf = (order: Bundle['order']) => {
  const text = reveal(bundle([], order).stdin ?? '');
  const at = text.indexOf('\nfor i in ;') + 1;
  const end = text.indexOf('\n', at);
  return { head: text.slice(0, at), loop: text.slice(at + 'for i in '.length, end), tail: text.slice(end + 1) };
};
const PARALLEL = frameOf('parallel');
const SEQUENCE = frameOf('sequence');
const known = new Map<string, Bundle>();

/** Reads what `bundle()` writes. @throws NotModelled at anything that it does not write */
export function readBundle(text: string): Bundle {
  const before = known.get(text);
  if (before !== undefined) return before;
  if (known.size > 2000) known.clear();
  const { head, tail } = PARALLEL;
  if (!text.startsWith(head)) throw strange(text, 0);
  const calls: Call[] = [];
  let at = head.length;
  while (text.startsWith('c', at)) {
    const opening = `c${frameName(calls.length)}() { `;
    if (!text.startsWith(opening, at)) throw strange(text, at);
    const read = readCall(text, at + opening.length);
    calls.push(read.call);
    at = read.end;
  }
  const names = calls.map((_, i) => `${frameName(i)} `).join('');
  const rest = text.slice(at);
  for (const [order, { loop }] of [['parallel', PARALLEL] as const, ['sequence', SEQUENCE] as const]) {
    if (rest !== `for i in ${names}${loop}\n${tail}`) continue;
    const found: Bundle = { calls, order };
    known.set(text, found);
    return found;
  }
  throw strange(text, at);
}

/** Writes the answers as the shell does: the byte counts of all files, then all of them as base64. */
export function frame(answers: readonly Answer[]): Answer {
  const files = answers.flatMap(({ code, stdout, stderr }, i) =>
    [
      ['code', `${code}\n`],
      ['err', stderr],
      ['out', stdout],
    ].map(([kind, text]) => ({ name: `${frameName(i)}.${kind}`, bytes: Buffer.from(text as string) })),
  );
  const lines = files.map(({ name, bytes }) => `${bytes.length} ${name}\n`).join('');
  const all = Buffer.concat(files.map(({ bytes }) => bytes));
  const total = files.length > 1 ? `${all.length} total\n` : '';
  return { code: 0, stdout: `${lines}${total}${all.toString('base64')}`, stderr: '' };
}

function readCall(text: string, from: number): { call: Call; end: number } {
  let at = from;
  let stdin: string | undefined;
  const skip = (word: string) => {
    if (!text.startsWith(word, at)) return false;
    at += word.length;
    return true;
  };
  if (skip("printf %s '")) {
    const end = text.indexOf("'", at);
    stdin = Buffer.from(text.slice(at, end), 'base64').toString('utf8');
    at = end;
    if (!skip("' | base64 -d | ")) throw strange(text, at);
  }
  if (skip('timeout -k 5 ')) {
    const space = text.indexOf(' ', at);
    if (!/^\d+(\.\d+)?$/.test(text.slice(at, space))) throw strange(text, at);
    at = space + 1;
  }
  const argv: string[] = [];
  do argv.push(readWord());
  while (skip(' '));
  if (!skip('; }\n')) throw strange(text, at);
  return { call: { argv, stdin }, end: at };

  function readWord(): string {
    let word = '';
    if (!skip("'")) throw strange(text, at);
    for (;;) {
      const end = text.indexOf("'", at);
      if (end < 0) throw strange(text, at);
      word += text.slice(at, end);
      at = end + 1;
      if (!skip("\\''")) return word;
      word += "'";
    }
  }
}

function strange(text: string, at: number): NotModelled {
  return new NotModelled(`this in a bundle, at ${at}: ${JSON.stringify(text.slice(at, at + 80))}`);
}

function frameName(index: number): string {
  return String(index).padStart(5, '0');
}
