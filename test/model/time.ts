/** The clock that a process goes by: that of the world which it runs in. */
type Clock = { seconds(): number; pass(seconds: number): void };

const MOMENT_MS = 2000;
/** A wait lets so much more go by: a service that does not come up is not asked a hundred times before its time is over. */
const HASTE = 30;
const { setTimeout: later, Date: RealDate } = globalThis;
let clock: Clock | undefined;

/** From now on the process goes by this clock. One process runs at a time. */
export function goBy(world: Clock): void {
  clock = world;
}

/**
 * Puts the model's time in place of this machine's: `Date` and `performance` tell the host's clock. What waits for a moment
 * goes on at once and the clock is set forward; what would wait for longer (the renewal of a lease) never comes to it.
 */
export function modelTime(): void {
  const now = () => (clock === undefined ? RealDate.now() : clock.seconds() * 1000);
  globalThis.Date = class extends RealDate {
    // biome-ignore lint/suspicious/noExplicitAny: the constructor of Date is overloaded
    constructor(...given: any[]) {
      if (given.length === 0) super(now());
      else super(...(given as [number]));
    }

    static override now(): number {
      return now();
    }
  } as DateConstructor;
  performance.now = now;
  globalThis.setTimeout = ((work: () => void, milliseconds = 0, ...rest: []) => {
    if (milliseconds <= MOMENT_MS) {
      clock?.pass((HASTE * milliseconds) / 1000);
      return later(work, 0, ...rest);
    }
    const never = { ref: () => never, unref: () => never, hasRef: () => false };
    return never;
  }) as typeof setTimeout;
}
