import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Command } from '../../tools/executors/src/engine/command.ts';
import type { Fact } from '../../tools/executors/src/engine/fact.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import { auditContract, decisiveContract } from './audit.contract.ts';
import { leaseContract } from './lease.contract.ts';

/** The files of the host that is tested, as the test itself gets at them. */
export type StateFiles = {
  /** Where the environments' folders are. */
  readonly folder: string;
  read(path: string): string;
  write(path: string, text: string): void;
  exists(path: string): boolean;
  /** Permissions in octal. */
  mode(path: string): string;
  makeFolder(path: string): void;
  remove(path: string): void;
};

/** A folder of the test's own on this machine. */
function filesHere(): StateFiles {
  return {
    folder: mkdtempSync(join(tmpdir(), "mooring state $(x) 'é ")),
    read: (path) => readFileSync(path, 'utf8'),
    write: writeFileSync,
    exists: existsSync,
    mode: (path) => (statSync(path).mode & 0o777).toString(8),
    makeFolder: (path) => void mkdirSync(path),
    remove: (path) => rmSync(path, { recursive: true, force: true }),
  };
}

/** A host whose state of an environment is tested, in a folder of the test's own. */
export type StateHost = {
  readonly environment: string;
  readonly files: StateFiles;
  /** The environment's folder. */
  readonly folder: string;
  /** Path of a file of the environment. */
  state(name: string): string;
  /** The host, once its tests run. */
  host(): OpenHost;
  run: OpenHost['run'];
  ask<T>(fact: Fact<T>): Promise<T>;
};

/**
 * The lease and the audit log on a host.
 *
 * @param files the host's; this machine's when left out
 */
export function stateContract(kind: string, open: () => Promise<OpenHost>, files: StateFiles = filesHere()): void {
  let host: OpenHost;
  const environment = 'contract';
  const folder = join(files.folder, environment);
  beforeAll(async () => {
    host = await open();
  });
  afterEach(() => files.remove(folder));
  afterAll(async () => {
    await host.close();
    files.remove(files.folder);
  });

  const elsewhere = (command: Command): Command => ({
    ...command,
    argv: command.argv.map((word) => word.replace(/^\/var\/lib\/mooring(?=\/)/, files.folder)) as unknown as Command['argv'],
  });
  const run: OpenHost['run'] = async (commands, order) => host.run(commands.map(elsewhere), order);
  const there: StateHost = {
    ...{ environment, files, folder, run },
    state: (name) => join(folder, name),
    host: () => host,
    async ask(fact) {
      const [result] = await run([fact.command]);
      if (result === undefined) throw new Error('no result');
      return fact.parse(result);
    },
  };
  leaseContract(kind, there);
  auditContract(kind, there);
  decisiveContract(kind, there);
}
