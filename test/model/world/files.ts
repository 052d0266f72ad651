/** The few files that a host of the model has: its lease and its audit log. */
export class Files {
  readonly #files: Map<string, string>;
  readonly #folders: Set<string>;

  constructor(from?: Files) {
    this.#files = new Map(from === undefined ? [] : from.#files);
    this.#folders = new Set(from === undefined ? [] : from.#folders);
  }

  /** Text of a file; nothing when it is not there. */
  read(path: string): string | undefined {
    return this.#files.get(path);
  }

  write(path: string, text: string): void {
    this.#files.set(path, text);
  }

  remove(path: string): void {
    for (const all of [this.#files, this.#folders])
      for (const one of [...all.keys()]) if (one === path || one.startsWith(`${path}/`)) all.delete(one);
  }

  exists(path: string): boolean {
    return this.#files.has(path) || this.#folders.has(path);
  }

  /** Paths of all files of a name, wherever they are. */
  called(name: string): string[] {
    return [...this.#files.keys()].filter((path) => path.endsWith(`/${name}`));
  }

  /** `mkdir -p`. @returns whether it is a folder now */
  makeFolder(path: string): boolean {
    if (this.#files.has(path)) return false;
    this.#folders.add(path);
    return true;
  }

  /** Permissions in octal: everything is made under `umask 077`. */
  mode(path: string): string {
    if (!this.exists(path)) throw new Error(`${path} is not there`);
    return this.#folders.has(path) ? '700' : '600';
  }
}
