import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { InputError } from '../../engine/errors.ts';
import { Secret } from '../../engine/secret.ts';

/** No secret of ours is longer, in bytes. */
const LIMIT = 1024 * 1024;

/**
 * The value of a secret: typed on the terminal, where it is not shown, or all of stdin. A single line loses its line end; a text of
 * several lines, such as a private key, stays as it is.
 *
 * @throws InputError when it is empty or no text, or the question was broken off
 */
export async function askForSecret(
  name: string,
  input: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY'>>,
  output: NodeJS.WritableStream,
): Promise<Secret> {
  const text = input.isTTY === true ? await typed(name, input, output) : await piped(name, input);
  const value = /^[^\n]*\r?\n$/.test(text) ? text.trimEnd() : text;
  if (value.trim() !== '') return new Secret(value);
  throw new InputError(`${name}: the value is empty`, {
    next: `type it, give it on stdin (--name=${name} < file), or --random`,
  });
}

function typed(name: string, input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<string> {
  output.write(`Value of ${name} (it is not shown): `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  return new Promise((resolve, reject) => {
    const end = (then: () => void) => {
      lines.removeAllListeners();
      lines.close();
      output.write('\n');
      then();
    };
    lines.on('line', (line) => end(() => resolve(line)));
    for (const event of ['SIGINT', 'close'])
      lines.on(event, () => end(() => reject(new InputError(`${name}: broken off; nothing was changed`))));
  });
}

async function piped(name: string, input: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    if (size > LIMIT) throw new InputError(`${name}: more than 1 MiB on stdin`);
    chunks.push(Buffer.from(chunk));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new InputError(`${name}: what is on stdin is not UTF-8`, { next: 'encode it, as base64 for example' });
  }
}
