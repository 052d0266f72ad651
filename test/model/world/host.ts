import type { Duplex } from 'node:stream';
import type { Command, CommandResult } from '../../../tools/executors/src/engine/command.ts';
import { HostError } from '../../../tools/executors/src/engine/errors.ts';
import { reveal } from '../../../tools/executors/src/engine/secret.ts';
import { hostFromTransport, type OpenHost, type Transport } from '../../../tools/executors/src/engine/transport.ts';
import { failed } from './answer.ts';
import { addressAt } from './incus-command.ts';
import { runOnHost, type Watch } from './shell.ts';
import type { World } from './world.ts';

/** How a process and its host part. Each is at one command, counted from 1 through all bundles. */
export const WAYS = [
  /** The process is gone: nothing after this command is done, and no answer is ever seen. */
  'process gone',
  /** The host does what it was given to its end; the process gets an error for it, and for all that it asks afterwards. */
  'connection gone',
  /** The host does what it was given to its end; only the answer to it is lost. */
  'answer lost',
  /** The host does nothing after this command of what it was given, and the answer is lost. */
  'broken off',
] as const;
export type Way = (typeof WAYS)[number];

/** What befalls a process. */
export type Fate = {
  readonly at: number;
  /** `host gone`: this one host does what it was given to its end, and nothing is heard of it afterwards. */
  readonly way: Way | 'command fails' | 'host gone';
};

/** The name of the second host in an environment that has two. */
export const SECOND = 'second';

class Stop extends Error {}

/** The connection of one process to the host of the model. */
export class Connection {
  /** Commands that the host has executed for this process. */
  commands = 0;
  /** A command that the model does not know: a verb may take the error for a failure of the host, the test must not. */
  fault: unknown;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  readonly #world: World;
  readonly #fate: Fate | undefined;
  readonly #unreachable: readonly string[];
  readonly #die: () => void;
  #dead: 'process' | 'connection' | undefined;
  #lost: World | undefined;
  #met = false;

  constructor(world: World, fate?: Fate, unreachable: readonly string[] = []) {
    this.#world = world;
    this.#unreachable = unreachable;
    this.#fate = fate;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.#die = resolve;
  }

  /** The host as the verbs see it: the real one over this connection. */
  open(name: string): OpenHost {
    const world = name === SECOND ? this.#world.second : this.#world;
    if (world === undefined || this.#unreachable.includes(name))
      throw new HostError(`${name}: nobody answers`, { host: name, next: 'check the network' });
    let roundTrips = 0;
    const transport: Transport = {
      name,
      exec: (command) => {
        roundTrips++;
        return this.#exec(world, name, command);
      },
      execFile: () => Promise.reject(new Error('the model takes no files')),
    };
    const host = hostFromTransport(transport);
    return {
      ...host,
      transport,
      spare: host,
      connect: (address) => this.#connect(world, address),
      close: async () => {},
      get roundTrips() {
        return roundTrips;
      },
    };
  }

  async #exec(world: World, name: string, command: Command): Promise<CommandResult> {
    if (this.#dead === 'process') return new Promise(() => {});
    const lost = () => new HostError(`${name}: the connection was lost`, { host: name });
    if (this.#dead === 'connection' || this.#lost === world) throw lost();
    this.#met = false;
    const stdin = command.stdin === undefined ? undefined : reveal(command.stdin);
    try {
      const answer = runOnHost(world, command.argv, stdin, this.#watch);
      if (!this.#met || this.#fate?.way === 'command fails') return { command, ...answer };
    } catch (error) {
      if (!(error instanceof Stop)) {
        this.fault ??= error;
        throw error;
      }
    }
    if (this.#fate?.way === 'process gone') {
      this.#dead = 'process';
      this.#die();
      return new Promise(() => {});
    }
    if (this.#fate?.way === 'connection gone') this.#dead = 'connection';
    if (this.#fate?.way === 'host gone') this.#lost = world;
    throw lost();
  }

  readonly #watch: Watch = {
    before: () =>
      this.#fate?.way === 'command fails' && this.#fate.at === this.commands + 1 ? failed('Error: the model lets this fail') : undefined,
    after: () => {
      this.commands++;
      if (this.commands !== this.#fate?.at) return;
      this.#met = true;
      if (this.#fate.way === 'process gone' || this.#fate.way === 'broken off') throw new Stop();
    },
  };

  /** Opens nothing but tells whether somebody would answer there. */
  async #connect(world: World, address: string): Promise<Duplex> {
    if (this.#dead === 'process') return new Promise(() => {});
    const now = world.seconds();
    for (const instance of world.incus.instances.values()) if (addressAt(instance, now) === address) return {} as Duplex;
    throw new HostError(`nobody answers at ${address}`);
  }
}
