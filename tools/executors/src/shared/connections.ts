import { remember } from './remember.ts';

/** The connections of a run by name: each is opened once, and all are closed at its end. */
export class Connections<T extends { close(): Promise<void> }> {
  readonly #opened = new Map<string, Promise<T>>();

  /** The connection of this name. One that could not be opened is not tried again. */
  to(name: string, open: () => Promise<T>): Promise<T> {
    return remember(this.#opened, name, open);
  }

  /** The same to something that may not be up yet: one that could not be opened is tried again when it is asked for again. */
  toStarting(name: string, open: () => Promise<T>): Promise<T> {
    return this.to(name, open).catch((error) => {
      this.#opened.delete(name);
      throw error;
    });
  }

  /** Closes those that could be opened. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    await Promise.all(opened.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
  }
}
