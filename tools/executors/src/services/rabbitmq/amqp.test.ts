import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { conversation, readAnswer } from './amqp.ts';

type Transcript = { confirmed: string; refused: string; blocked: string };

describe.each(['3.10.8', '4.0.5'])('the answer of RabbitMQ %s', (version) => {
  const { confirmed, refused, blocked }: Transcript = JSON.parse(
    readFileSync(join(import.meta.dirname, 'transcripts', `${version}.json`), 'utf8'),
  );

  it('is read when the message was confirmed', () => {
    expect(readAnswer(Buffer.from(confirmed, 'hex'))).toEqual({ version, outcome: 'confirmed' });
  });

  it('is read when an alarm blocks publishers', () => {
    expect(readAnswer(Buffer.from(blocked, 'hex'))).toEqual({ version, outcome: { blocked: 'low on memory' } });
  });

  it('is read when the password is wrong', () => {
    const answer = readAnswer(Buffer.from(refused, 'hex'));
    expect(answer).toMatchObject({ version, outcome: { code: 403, text: expect.stringContaining('ACCESS_REFUSED') } });
  });

  it('is not taken for whole wherever it is cut', () => {
    const bytes = withoutCloseOk(confirmed);
    for (let length = 0; length < bytes.length; length++) expect(readAnswer(bytes.subarray(0, length))).toBeUndefined();
    expect(readAnswer(bytes)).toBeDefined();
  });

  it('is refused when a frame does not end where it should', () => {
    const bytes = withoutCloseOk(confirmed);
    bytes[bytes.length - 1] = 0;
    expect(() => readAnswer(bytes)).toThrow('frame that is not known');
  });
});

describe('what is no AMQP 0-9-1 server', () => {
  it.each(['HTTP/1.1 400 Bad Request\r\n\r\n', 'AMQP\0\x01\0\0', '-ERR unknown command\r\n'])('%j', (text) => {
    expect(() => readAnswer(Buffer.from(text, 'latin1'))).toThrow('does not speak AMQP 0-9-1');
  });

  it('a version before anything else', () => {
    expect(() => readAnswer(Buffer.from('01000000000005000a002900ce', 'hex'))).toThrow('began with the method 10.41');
  });
});

const METHODS = ['10.11', '10.31', '10.40', '20.10', '85.10', '60.40', 'header of 60'];

describe('the conversation', () => {
  it('is header, Start-Ok, Tune-Ok and Open, then a channel, confirms and a publish', () => {
    const bytes = conversation('veza', new Secret('pass'), '/veza');
    expect(methods(bytes)).toEqual(METHODS);
    expect(bytes.toString('latin1')).toContain('\0veza\0pass');
  });

  it.each([
    ['none of its own', undefined, 8192],
    ['no limit', 0, 8192],
    ['a greater one', 131072, 8192],
    ['a smaller one', 4096, 4096],
  ])('asks for no larger frames than a server takes with %s', (_, own, asked) => {
    const bytes = conversation('veza', new Secret('pass'), '/veza', own);
    const tuneOk = bytes.indexOf(Buffer.from([0, 10, 0, 31]));
    expect(bytes.readUInt32BE(tuneOk + 6)).toBe(asked);
  });

  it('carries any password whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 500 }), (password) => {
        const bytes = conversation('veza', new Secret(password), '/veza');
        expect(methods(bytes)).toEqual(METHODS);
        expect(bytes.includes(Buffer.from(`\0veza\0${password}`))).toBe(true);
      }),
    );
  });
});

/** The answer without its last frame, the Close-Ok of 12 bytes. */
function withoutCloseOk(hex: string): Buffer {
  return Buffer.from(hex, 'hex').subarray(0, -12);
}

/** Ids of the methods (and the class of a content header) after the protocol header; fails unless the frames fill the bytes. */
function methods(bytes: Buffer): string[] {
  const ids: string[] = [];
  let offset = 8;
  while (offset < bytes.length) {
    const size = bytes.readUInt32BE(offset + 3);
    const kind = bytes.readUInt16BE(offset + 7);
    ids.push(bytes[offset] === 2 ? `header of ${kind}` : `${kind}.${bytes.readUInt16BE(offset + 9)}`);
    offset += size + 8;
    expect(bytes[offset - 1]).toBe(0xce);
  }
  expect(offset).toBe(bytes.length);
  return ids;
}
