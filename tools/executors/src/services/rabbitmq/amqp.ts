import { CommandError } from '../../engine/errors.ts';
import { reveal, type Secret } from '../../engine/secret.ts';

/** What a server said to {@link conversation}. */
export type AmqpAnswer = {
  /** From the server's properties: `3.10.8`. */
  readonly version: string;
  /**
   * `confirmed`: the virtual host is open to this user, and the server has taken a message from them. `blocked`: it takes none from anybody,
   * for this reason. Else the server's refusal: reply code and text.
   */
  readonly outcome: 'confirmed' | { readonly blocked: string } | { readonly code: number; readonly text: string };
};

const FRAME_END = 0xce;
/** Small enough for every server that has no smaller `frame_max` (AMQP 0-9-1 knows 4096, RabbitMQ 4.1 refuses less than 8192). */
const FRAME_MAX = 8192;
const CHANNEL = 1;
/** Of no queue: the default exchange drops what is sent to it. */
const NOWHERE = 'nx-mooring.probe.leads-to-no-queue';

/**
 * The client's side of an AMQP 0-9-1 connection, in one piece: header, Start-Ok with PLAIN credentials, Tune-Ok and Open; then a channel on
 * which one empty message is published that leads to no queue, and so leaves nothing behind, and its confirm. A server that is out of memory
 * or disk opens everything and stops reading at the first publish (RabbitMQ manual, "Memory and Disk Alarms"): only a publish tells.
 * The server answers as it reads, so one write and one read make a complete probe; {@link FAREWELL} ends it.
 *
 * @param frameMax the server's own `frame_max`, if it has one: it closes the connection of a client that wants more, and 0 is no limit
 * @returns secret bytes
 */
export function conversation(user: string, password: Secret, vhost: string, frameMax = 0): Buffer {
  const can = (capability: string) => [capability, Buffer.from([0x74, 1])] as const;
  // Without these RabbitMQ answers a wrong password by closing the socket, after 3 seconds and without a word, and does not tell that it is blocked.
  const capabilities = table([can('authentication_failure_close'), can('connection.blocked')]);
  const properties = table([
    ['product', field('S', longText(Buffer.from('nx-mooring probe')))],
    ['capabilities', field('F', capabilities)],
  ]);
  const plain = longText(Buffer.from(`\0${user}\0${reveal(password)}`));
  return Buffer.concat([
    Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
    method(0, 10, 11, [properties, shortText('PLAIN'), plain, shortText('en_US')]),
    method(0, 10, 31, [uint16(1), uint32(frameMax === 0 ? FRAME_MAX : Math.min(frameMax, FRAME_MAX)), uint16(0)]),
    method(0, 10, 40, [shortText(vhost), shortText(''), Buffer.from([0])]),
    method(CHANNEL, 20, 10, [shortText('')]),
    method(CHANNEL, 85, 10, [Buffer.from([0])]),
    method(CHANNEL, 60, 40, [uint16(0), shortText(''), shortText(NOWHERE), Buffer.from([0])]),
    // Content header: class basic, weight, a body of 0 bytes, no properties.
    frame(2, CHANNEL, Buffer.concat([uint16(60), uint16(0), Buffer.alloc(8), uint16(0)])),
  ]);
}

/** The client's Close. The server answers with its Close-Ok and waits for the client to go; one that is blocked does not read it. */
export const FAREWELL = method(0, 10, 50, [uint16(200), shortText('done'), uint16(0), uint16(0)]);

/** Methods that say nothing about the outcome: Tune, Open-Ok, the channel's Open-Ok and the confirms' Select-Ok. */
const ON_THE_WAY = ['10.30', '10.41', '20.11', '85.11'];

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
    if (bytes[offset] !== 1 || bytes[end] !== FRAME_END || bytes.readUInt16BE(offset + 1) > CHANNEL)
      throw new CommandError('the server sent a frame that is not known');
    const content = new Reader(bytes.subarray(offset + 7, end));
    const id = `${content.uint(2)}.${content.uint(2)}`;
    if (id === '10.10') {
      content.uint(2);
      const found = content.table().get('version');
      if (found === undefined) throw new CommandError('the server does not report its version');
      version = found;
    } else if (version === undefined) throw new CommandError(`the server began with the method ${id}`);
    else if (id === '60.80') return { version, outcome: 'confirmed' };
    else if (id === '10.60') return { version, outcome: { blocked: content.shortText() } };
    else if (id === '10.50' || id === '20.40') return { version, outcome: { code: content.uint(2), text: content.shortText() } };
    else if (!ON_THE_WAY.includes(id)) throw new CommandError(`the server answered with the method ${id}`);
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

function method(channel: number, kind: number, id: number, fields: readonly Buffer[]): Buffer {
  return frame(1, channel, Buffer.concat([uint16(kind), uint16(id), ...fields]));
}

function frame(type: 1 | 2, channel: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), uint16(channel), uint32(payload.length), payload, Buffer.from([FRAME_END])]);
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
