import { setTimeout as sleep } from 'node:timers/promises';

/** A client gives up then: a server that goes down may leave a connection without an answer. */
const ANSWER_MS = 5_000;

/** A client that writes one thing after the other without pause, and knows what the service has acknowledged. */
export class Writer {
  /** What was acknowledged, in order: the numbers that were given to `write`. */
  readonly acknowledged: number[] = [];
  /** What it was told instead of an acknowledgement. */
  readonly failures: string[] = [];
  readonly #write: (number: number) => Promise<unknown>;
  #stopped = false;
  #outage = 0;
  #running: Promise<void> = Promise.resolve();

  /** @param write writes a number; resolves once the service has acknowledged it */
  constructor(write: (number: number) => Promise<unknown>) {
    this.#write = write;
  }

  /** The longest time from one acknowledgement to the next since it was started, in milliseconds. */
  get outage(): number {
    return this.#outage;
  }

  /** Begins to write; waits for the first acknowledgement. @throws when there is none within 10 s */
  async start(): Promise<void> {
    this.#stopped = false;
    this.#outage = 0;
    this.#running = this.#loop();
    await this.nextAcknowledged();
  }

  /** Waits until something more is acknowledged. @throws when there is nothing within 10 s */
  async nextAcknowledged(): Promise<void> {
    const before = this.acknowledged.length;
    for (let tries = 0; this.acknowledged.length === before; tries++) {
      if (tries > 200) throw new Error(`nothing was acknowledged: ${this.failures.at(-1) ?? 'no answer'}`);
      await sleep(50);
    }
  }

  /** Writes no more, once the last answer is there. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #loop(): Promise<void> {
    let last: number | undefined;
    for (let number = this.acknowledged.length + this.failures.length; !this.#stopped; number++) {
      await answered(this.#write(number)).then(
        () => {
          const now = performance.now();
          this.#outage = Math.max(this.#outage, now - (last ?? now));
          last = now;
          this.acknowledged.push(number);
        },
        (error: Error) => this.failures.push(error.message),
      );
      await sleep(20);
    }
  }
}

/** @throws where there is no answer in time */
async function answered(write: Promise<unknown>): Promise<void> {
  const given = new AbortController();
  const late = sleep(ANSWER_MS, undefined, { signal: given.signal }).then(() => {
    throw new Error(`no answer within ${ANSWER_MS / 1000} s`);
  });
  try {
    await Promise.race([write, late]);
  } finally {
    given.abort();
    late.catch(() => {});
  }
}
