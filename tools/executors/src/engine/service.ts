import type { Duplex } from 'node:stream';
import type { z } from 'zod';
import type { Change } from './change.ts';
import type { Command } from './command.ts';
import { InputError } from './errors.ts';
import type { Fact, FactSet } from './fact.ts';
import type { Secret } from './secret.ts';

/** What a service's planners may know beside its settings. Everything is known before the first command runs. */
export type ServiceContext = {
  /** `local`, `staging`, … */
  readonly environment: string;
  /** Full instance name, `veza-local-redis`. */
  readonly instance: string;
  /** Networks (CIDR) whose hosts may connect: the environment's, nothing wider. */
  readonly clientNetworks: readonly string[];
  /** Binaries this service needs, by name, as the store knows them; see {@link Service.artifacts}. */
  readonly artifacts: Readonly<Record<string, ArtifactSpec>>;
  /** `--skip-trial`: facts that try something are not asked for; see {@link Fact.withoutTrial}. */
  readonly skipTrial?: boolean;
};

/** What should be: the settings of one service in one environment, secret references replaced by {@link Secret}s, and its context. */
export type Desired<S> = { readonly settings: S; readonly context: ServiceContext };

/**
 * One step of configuring a service. A later stage's facts may not exist before the earlier stages have been applied:
 * they are parsed only once every earlier stage's plan is empty. `facts` and `plan` are pure.
 */
export type Stage<S, F> = {
  /** `packages`, `config`, `objects`. */
  readonly name: string;
  facts(desired: Desired<S>): FactSet<F>;
  plan(facts: F, desired: Desired<S>): Change[];
};

/**
 * What a probe found of a service that works: the application can read and write. A service that does not work has no `Health`: its
 * probe throws, and the message is the reason.
 */
export type Health = {
  readonly version: string;
  /** What was asked: `AUTH and PING`. */
  readonly detail: string;
  /** It works, but somebody has to see to it: a reason each, such as `the disk is 85 % full`. None when left out. */
  readonly degraded?: readonly string[];
};

/** One thing that holds data, and how much of it. */
export type CensusEntry = {
  /** What it is, in the service's own noun: `table`, `database`, `queue`, `bucket`. */
  readonly kind: string;
  /** As its users name it, `veza.public.users`. */
  readonly name: string;
  readonly count: number;
  /** What is counted: `rows`, `keys`, `messages`, `objects`. */
  readonly of: string;
  /** Size of what was counted, where the service tells it. */
  readonly bytes?: number;
  /** The count is not from reading it all. */
  readonly estimated?: true;
};

/** How much data a service holds. */
export type Census = {
  readonly entries: readonly CensusEntry[];
  /** What the counting proves beside the counts, as a phrase: `every table was read, page checksums are on`. */
  readonly proves: string;
};

/** A binary to be had before a deploy begins: from a URL with a required sha256, or built with Go once. */
export type ArtifactSpec =
  | { readonly kind: 'url'; readonly url: string; readonly sha256: string; readonly version: string }
  | {
      readonly kind: 'go';
      readonly module: string;
      /** What `go install module@version` takes: a tag or a pseudo-version. */
      readonly version: string;
      /** The container's, as Go names it; `amd64` when left out. */
      readonly arch?: 'amd64' | 'arm64';
      /** String variables set by the linker (`-X name=value`), such as a version to report. */
      readonly variables?: Readonly<Record<string, string>>;
    };

/** Something that a container gets from the network by itself. */
export type Fetch = {
  /** `the apt repository`. */
  readonly what: string;
  /** http or https, as the commands that get it have it. */
  readonly url: string;
  /** A file below it that must be there; empty for the URL itself. Left out where none is known: then any answer of the server will do. */
  readonly path?: string;
};

/** What the container.json of a new container begins with, beside its service. */
export type Starter = { readonly description: string; readonly settings: Readonly<Record<string, unknown>> };

/** Makes the reference to a secret of a new container from the end of its name: `PASSWORD`. */
export type NewSecret = (name: string) => { readonly secret: string };

/** Opens a TCP connection to the instance's address from its host (through the SSH connection when it is remote). */
export type Connect = (port: number) => Promise<Duplex>;

/**
 * A stateful service, as one folder describes it. The engine and the verbs know no service by name.
 * `S` is the type of its settings as given by `settings`, with `Secret` in place of secret references.
 */
export type Service<S> = {
  readonly name: string;
  /** Strict object schema of `settings` in container.json. Use `secretReference` for secret fields. */
  readonly settings: z.ZodType<S>;
  // biome-ignore lint/suspicious/noExplicitAny: each stage has a fact type of its own
  readonly stages: readonly Stage<S, any>[];
  /** Makes the data on disk cheap to recover from just before a snapshot; `after` always runs once `before` was tried. */
  readonly quiesce?: { before(desired: Desired<S>): Command[]; after?(desired: Desired<S>): Command[]; readonly timeoutMs: number };
  readonly health: {
    /** Inside the container, by the service's protocol with the application's credentials. `parse` throws when unhealthy. */
    inside(desired: Desired<S>): Fact<Health>;
    /** From the host over the instance's address, by the service's protocol with the application's credentials. @throws when unhealthy */
    outside(desired: Desired<S>, connect: Connect): Promise<Health>;
  };
  /**
   * How much data it holds, asked inside the container; it changes nothing, is bounded, and reads what it counts where it can, so that
   * damage is found. `parse` throws where something is damaged. A drill asks it of a restored copy.
   */
  census?(desired: Desired<S>): Fact<Census>;
  /** systemd unit whose journal explains a failure to start. */
  readonly unit: string;
  readonly artifacts?: (settings: S) => Readonly<Record<string, ArtifactSpec>>;
  /** What its stages get from elsewhere than the image's own sources. It is asked for before a container is made. */
  fetches?(settings: S): readonly Fetch[];
  /** What `nx g nx-mooring:container` writes for it, for a service that nx-mooring has itself; `container` is the new one's name. */
  starter?(secret: NewSecret, container: string): Starter;
};

/** Declares a service; the one thing a `service.ts` exports (as default or by name). Gives back its argument, typed. */
export function defineService<S>(service: Service<S>): Service<S> {
  return service;
}

/** Declares a stage with its fact type inferred. Gives back its argument, typed. */
export function defineStage<S, F>(stage: Stage<S, F>): Stage<S, F> {
  return stage;
}

/**
 * Stands in a generated `service.ts` for what its author has to write: of any type, as it never gives anything.
 *
 * @param part number of the place, as the comments there have it
 * @param what is missing
 * @throws InputError, always
 */
export function fillIn<T>(part: number, what: string): T {
  throw new InputError(`FILL IN ${part} is still open: ${what}`);
}
