/** Lets only so many pieces of work run at once; the others wait in their order. */
export type Gate = {
  /** Runs the work when it is its turn. */
  enter<T>(work: () => Promise<T>): Promise<T>;
  /** How many are running now. */
  readonly running: number;
  /** Never more than this from now on; at least 1. */
  lower(limit: number): void;
};

/** A gate that lets `limit` through at once. */
export function gate(limit: number): Gate {
  let allowed = limit;
  let running = 0;
  const waiting: (() => void)[] = [];
  const next = () => {
    while (running < allowed && waiting.length > 0) {
      running++;
      waiting.shift()?.();
    }
  };
  return {
    async enter(work) {
      await new Promise<void>((go) => {
        waiting.push(go);
        next();
      });
      try {
        return await work();
      } finally {
        running--;
        next();
      }
    },
    get running() {
      return running;
    },
    lower(to) {
      allowed = Math.max(1, Math.min(allowed, to));
    },
  };
}
