import { CommandError } from '../../engine/errors.ts';
import { reveal, type Secret } from '../../engine/secret.ts';

/** What a server said to {@link conversation}. */
export type AmqpAnswer = {
  /** From the server's properties: `3.10.8`. */
  readonly version: string;
  /** `opened`: the virtual host is open to this user. Else the server's refusal: reply code and text. */
  readonly outcome: 'opened' | { readonly code: number; readonly text: string };
};

const FRAME_END = 0xce;
/** Small enough for every server (AMQP 0-9-1 knows 4096, RabbitMQ 4.1 refuses less than 8192). */
const FRAME_MAX = 8192;

/**
 * A whole AMQP 0-9-1 connection in one piece: header, Start-Ok with PLAIN credentials, Tune-Ok, Open and Close. The server
 * answers as it reads, so one write and one read make a complete probe; it opens no channel and declares nothing.
 *
 * @returns secret bytes
 */
export function conversation(user: string, password: Secret, vhost: string): Buffer {
  // Without this capability RabbitMQ answers a wrong password by closing the socket, after 3 seconds and without a word.
  const capabilities = table([['authentication_failure_close', Buffer.from([0x74, 1])]]);
  const properties = table([
    ['product', field('S', longText(Buffer.from('nx-mooring probe')))],
    ['capabilities', field('F', capabilities)],
  ]);
  const plain = longText(Buffer.from(`\0${user}\0${reveal(password)}`));
  return Buffer.concat([
    Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
    method(10, 11, [properties, shortText('PLAIN'), plain, shortText('en_US')]),
    method(10, 31, [uint16(1), uint32(FRAME_MAX), uint16(0)]),
    method(10, 40, [shortText(vhost), shortText(''), Buffer.from([0])]),
    method(10, 50, [uint16(200), shortText('done'), uint16(0), uint16(0)]),
  ]);
}

/**
 * Reads the server's side of {@link conversation}.
 *
 * @returns nothing while the answer may go on
 * @throws CommandError for what is no AMQP 0-9-1 server's answer
 */
export function readAnswer(bytes: Buffer): AmqpAnswer | undefined {
  if (bytes.length > 0 && bytes[0] !== 1) throw new CommandError('what listens there does not speak AMQP 0-9-1');
  let version: string | undefined;
  let offset = 0;
  while (offset + 7 <= bytes.length) {
    const end = offset + 7 + bytes.readUInt32BE(offset + 3);
    if (end >= bytes.length) return undefined;
    if (bytes[offset] !== 1 || bytes[end] !== FRAME_END || bytes.readUInt16BE(offset + 1) !== 0)
      throw new CommandError('the server sent a frame that is not known');
    const frame = new Reader(bytes.subarray(offset + 7, end));
    const id = `${frame.uint(2)}.${frame.uint(2)}`;
    if (id === '10.10') {
      frame.uint(2);
      const found = frame.table().get('version');
      if (found === undefined) throw new CommandError('the server does not tell its version');
      version = found;
    } else if (version === undefined) throw new CommandError(`the server began with the method ${id}`);
    else if (id === '10.41') return { version, outcome: 'opened' };
    else if (id === '10.50') return { version, outcome: { code: frame.uint(2), text: frame.shortText() } };
    else if (id !== '10.30') throw new CommandError(`the server answered with the method ${id}`);
    offset = end + 1;
  }
  return undefined;
}

/** Reads the few types that the properties of an AMQP server are made of. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint(size: 1 | 2 | 4): number {
    return this.#take(size).readUIntBE(0, size);
  }

  shortText(): string {
    return this.#take(this.uint(1)).toString('utf8');
  }

  /** A field table's texts by name; what is no text is read over. */
  table(): Map<string, string> {
    const end = this.uint(4) + this.#at;
    const texts = new Map<string, string>();
    while (this.#at < end) {
      const name = this.shortText();
      const kind = String.fromCharCode(this.uint(1));
      if (kind === 'S') texts.set(name, this.#take(this.uint(4)).toString('utf8'));
      else if (kind === 'F') this.table();
      else if (kind === 't') this.#take(1);
      else if (kind === 'I') this.#take(4);
      else throw new CommandError(`the server's properties hold a type that is not known: ${kind}`);
    }
    return texts;
  }

  #take(size: number): Buffer {
    if (this.#at + size > this.#bytes.length) throw new CommandError('the server sent a frame that is too short');
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
}

function method(kind: number, id: number, fields: readonly Buffer[]): Buffer {
  const payload = Buffer.concat([uint16(kind), uint16(id), ...fields]);
  return Buffer.concat([Buffer.from([1, 0, 0]), uint32(payload.length), payload, Buffer.from([FRAME_END])]);
}

function table(fields: readonly (readonly [name: string, value: Buffer])[]): Buffer {
  return longText(Buffer.concat(fields.flatMap(([name, value]) => [shortText(name), value])));
}

function field(kind: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(kind), value]);
}

function longText(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function uint32(value: number): Buffer {
  return Buffer.concat([uint16(value >>> 16), uint16(value & 0xffff)]);
}
