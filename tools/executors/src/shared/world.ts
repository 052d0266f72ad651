import type { Duplex } from 'node:stream';
import type { Availability, Stored } from '../engine/artifact.ts';
import type { InputError } from '../engine/errors.ts';
import type { OpenGuestPlatform } from '../engine/guest-platform.ts';
import type { FoundSecrets } from '../engine/secret-reference.ts';
import type { ArtifactSpec } from '../engine/service.ts';
import type { HostPlace, OpenHost } from '../engine/transport.ts';
import type { AnyEnvironment } from '../workspace/environment.ts';
import type { FileVersion, HistoryUnknown } from '../workspace/hosts.ts';
import type { Workspace } from '../workspace/load.ts';
import type { GitState } from '../workspace/release.ts';

/** What a verb may know of the process that it runs in. */
export type Machine = {
  /** Who has typed the command, and where. */
  who(): { readonly user: string; readonly machine: string };
  /** The variables of our environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  /** A clock that only goes forward, in seconds. */
  seconds(): number;
  /** Random bytes, fit for what nobody may guess. */
  random(bytes: number): Uint8Array;
};

/**
 * Everything that a verb may ask or change outside of itself, of one workspace: it is handed in with the request. `world/` makes the real
 * one; a test hands in what it wants the verb to meet.
 */
export type World = Machine & {
  /** Opens a host. @throws HostError when it cannot be reached, is not the one that is known, or does not let us in */
  openHost(place: HostPlace): Promise<OpenHost>;
  /** Opens the platform of an environment's guests. Nothing is asked yet. */
  readonly openGuests: OpenGuestPlatform;
  /** Opens a TCP connection from this machine. @throws HostError */
  connect(address: string, port: number): Promise<Duplex>;
  /** Whether a file of known hosts has a key for an address. @throws HostError */
  knowsHostKey(address: string, file: string): Promise<boolean>;
  /** Read once, however often they are asked for. */
  readonly files: {
    /** All files of the workspace. @throws ProblemsError naming everything that is wrong */
    load(): Promise<Workspace>;
    /** The same for who only looks: a mistake in what is one container's alone keeps nobody from the others. @throws ProblemsError */
    look(): Promise<Workspace>;
  };
  readonly git: {
    /** HEAD and what is not committed, or why git cannot say. */
    state(): Promise<GitState | InputError>;
    /** Every committed version of a file, newest first, or why git cannot say. @param path relative to the workspace */
    versions(path: string): Promise<FileVersion[] | HistoryUnknown>;
  };
  readonly secrets: {
    /** The values of secrets. @throws ProblemsError with everything that is missing or wrong with the source */
    load(asked: AskedSecrets): Promise<FoundSecrets>;
    /** The same for who only looks: a secret that is missing is told, not thrown. @throws ProblemsError where the source is wrong */
    find(asked: AskedSecrets): Promise<FoundSecrets>;
  };
  readonly artifacts: {
    /** A binary, from the store or obtained now. @throws MooringError when it cannot be had */
    obtain(spec: ArtifactSpec, options: ArtifactOptions): Promise<Stored>;
    /** Whether it could be had; nothing is obtained. */
    available(spec: ArtifactSpec, options: Omit<ArtifactOptions, 'progress'>): Promise<Availability>;
  };
};

/** Secrets of an environment that a run needs. */
export type AskedSecrets = {
  /** The folder of the workspace's files, relative to it. */
  readonly infra: string;
  readonly environment: Pick<AnyEnvironment, 'name' | 'secrets'>;
  /** Each once. */
  readonly names: readonly string[];
  readonly signal?: AbortSignal;
};

/** How a binary is obtained. */
export type ArtifactOptions = { readonly progress: (line: string) => void; readonly signal: AbortSignal };
