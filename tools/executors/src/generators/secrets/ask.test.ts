import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { askForSecret } from './ask.ts';

function ask({ typed, piped }: { typed?: string; piped?: string | Buffer }) {
  const input = Object.assign(new PassThrough(), typed === undefined ? {} : { isTTY: true, setRawMode: () => {} });
  const output = new PassThrough();
  input.write(typed ?? piped ?? '');
  if (typed === undefined) input.end();
  const answer = askForSecret('A', input, output).then((secret) => secret.reveal());
  return { answer, shown: () => String(output.read() ?? '') };
}

describe('the value of a secret', () => {
  test('is typed, and not shown', async () => {
    const { answer, shown } = ask({ typed: 'hunter2\r' });
    expect(await answer).toBe('hunter2');
    expect(shown()).toBe('Value of A (it is not shown): \n');
  });

  test.each([
    ['a line without its end', 'hunter2\n', 'hunter2'],
    ['a line of Windows', 'hunter2\r\n', 'hunter2'],
    ['a text without a line end', 'hunter2', 'hunter2'],
    ['several lines as they are', 'a\nb\n', 'a\nb\n'],
    ['letters of any kind', 'pässwörd-密码', 'pässwörd-密码'],
  ])('is read from stdin: %s', async (_, piped, value) => expect(await ask({ piped }).answer).toBe(value));

  test('is refused when it is empty, no text or too long; the question can be broken off', async () => {
    for (const piped of ['', '\n', '  \n']) await expect(ask({ piped }).answer).rejects.toThrow('A: the value is empty');
    await expect(ask({ typed: '\r' }).answer).rejects.toThrow('A: the value is empty');
    await expect(ask({ typed: 'hunter2\x03' }).answer).rejects.toThrow('A: broken off; nothing was changed');
    await expect(ask({ piped: Buffer.from([0xff, 0xfe]) }).answer).rejects.toThrow('is not UTF-8');
    await expect(ask({ piped: 'x'.repeat(1024 * 1024 + 1) }).answer).rejects.toThrow('more than 1 MiB');
  });
});
