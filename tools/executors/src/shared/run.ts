import { join } from 'node:path';
import { explainedBy, NotPartError } from '../engine/errors.ts';
import { complete } from '../engine/nx-command.ts';
import { once } from '../engine/once.ts';
import { type Redactor, redactor } from '../engine/redactor.ts';
import type { Secret } from '../engine/secret.ts';
import { secretNames } from '../engine/secret-reference.ts';
import { ordinaryWarnings } from '../engine/secret-warnings.ts';
import type { OpenHost } from '../engine/transport.ts';
import { hasContainers, type NamedEnvironment } from '../workspace/environment.ts';
import { type HostsBefore, hostsOfVersions } from '../workspace/hosts.ts';
import { containersOf, environmentOf, type StorageProject, type Workspace } from '../workspace/load.ts';
import { refuse } from '../workspace/problems.ts';
import type { ContainerInEnvironment } from '../workspace/target.ts';
import type { StoredArtifact } from './apply.ts';
import { binariesOf } from './binaries.ts';
import { Connections } from './connections.ts';
import { refuseUnknownLeft } from './leave-behind.ts';
import { divided } from './left-out.ts';
import { namesOf } from './names.ts';
import { completed, type FaultyContainer, faultyContainer, faultyIn, type PreparedContainer } from './target.ts';
import type { World } from './world.ts';

/** What an invocation of either tier knows before it asks a host. */
export type InvocationCore = {
  /** The workspace, absolute. */
  readonly root: string;
  /** All that is outside of the run. */
  readonly world: World;
  /** Id of this run, the same in all its processes. */
  readonly runId: string;
  /** `user@machine`, for the lease and the audit log. */
  readonly who: string;
  /** Prints a line of progress, secrets redacted. */
  progress(line: string): void;
  /** Hides secrets in what is printed or written down. */
  readonly clean: Redactor;
  /** What to tell about secrets that cannot be hidden everywhere, once in a deploy. */
  readonly warnings: readonly string[];
  /** Aborted when nothing more may be begun. */
  readonly signal: AbortSignal;
  /** Ends the run from within: the lease was lost. */
  abort(reason: unknown): void;
};

/** Everything one invocation knows before it asks a host, and the connections it holds. */
export type Invocation = InvocationCore & {
  readonly workspace: Workspace & { readonly storage: StorageProject };
  readonly environment: NamedEnvironment;
  /** All containers that are part of the environment, by name; without those of {@link leftOut}. */
  readonly targets: readonly PreparedContainer[];
  /** What `--leave-behind` names. */
  readonly leaveBehind: readonly string[];
  /** Hosts that `--without` leaves out. */
  readonly without: readonly string[];
  /** The environment's containers there. */
  readonly leftOut: readonly PreparedContainer[];
  /** The environment's containers of which nothing can be done, for a mistake in what is theirs alone; none in a run that changes anything. */
  readonly faulty: readonly FaultyContainer[];
  /** The hosts that the environment's file has named so far, by git. */
  hostsBefore(): Promise<HostsBefore>;
  /** Whether `--adopt` names a container. */
  adopts(target: PreparedContainer): boolean;
  /** The connection to a host by its name in the environment; opened once. */
  host(name: string): Promise<OpenHost>;
  /** A binary of a container's service; built or fetched once. */
  obtain(target: PreparedContainer, artifact: string): Promise<StoredArtifact>;
  close(): Promise<void>;
};

/** What every verb is given. */
export type RunRequest = {
  readonly root: string;
  readonly environment: string;
  readonly world: World;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  /** Project names that `--adopt` gives. */
  readonly adopt?: readonly string[] | undefined;
  /** Hosts that `--without` gives. */
  readonly without?: readonly string[] | undefined;
  /** What `--leave-behind` gives. */
  readonly leaveBehind?: readonly string[] | undefined;
  /** Hosts that `--new-host` gives. */
  readonly newHost?: readonly string[] | undefined;
  /** `--skip-trial`. */
  readonly skipTrial?: boolean | undefined;
  /** The projects that the command is about. */
  readonly projects?: readonly string[];
  /** Whether it only looks: then a mistake in what is one container's alone keeps it from no other. */
  readonly looks?: boolean;
};

/**
 * Reads and checks everything that can be known on this machine: files, settings, secrets. No host is touched.
 *
 * @throws ProblemsError naming everything that is wrong, at once; NotPartError where the environment has no containers
 */
export async function openRun(request: RunRequest): Promise<Invocation> {
  const { world, looks = false, leaveBehind = [], without = [] } = request;
  const workspace = await (looks ? world.files.look() : world.files.load());
  const environment = environmentOf(workspace, request.environment);
  const { storage } = workspace;
  if (!hasContainers(environment) || storage === undefined) throw new NotPartError(`no container is part of ${environment.name}`);
  const containers = containersOf(workspace, environment.name);
  const { secrets, ready, faulty } = await settled(request, workspace, environment, containers);
  const { targets, leftOut } = divided(environment, ready, request);
  refuseUnknownLeft(
    leaveBehind,
    environment.name,
    containers.map(({ project }) => project),
  );
  const known = namesOf(workspace, environment, world.who(), { containers });
  const core = runCore(request, secrets, { known, storage: storage.project });
  const binaries = binariesOf(core);
  return {
    ...core,
    ...connected(core, environment.sshConfig),
    workspace: { ...workspace, storage },
    environment,
    targets,
    leaveBehind,
    without,
    leftOut,
    faulty,
    hostsBefore: once(() => hostsBefore(world, `${workspace.infra}/environments/${environment.name}.json`)),
    adopts: ({ project, instance }) => request.adopt?.some((name) => name === project || name === instance) ?? false,
    obtain: (target, artifact) => binaries(target.project, target.desired([]).context.artifacts, artifact),
  };
}

/** The containers with their secrets in, and those of which nothing can be done. @throws ProblemsError where there may be none of these */
async function settled(
  { world, signal, skipTrial, looks = false }: RunRequest,
  workspace: Workspace,
  environment: NamedEnvironment,
  containers: readonly ContainerInEnvironment[],
): Promise<{ secrets: ReadonlyMap<string, Secret>; ready: PreparedContainer[]; faulty: FaultyContainer[] }> {
  const names = secretNames(containers.map(({ settings }) => settings));
  const asked = { infra: workspace.infra, environment, names, signal };
  const secrets = await (looks ? world.secrets.find(asked) : world.secrets.load(asked)).catch(explainedBy('secrets'));
  const { ready, wrong } = completed(containers, secrets, skipTrial);
  if (!looks) refuse([...wrong.values()].flat(), 'the settings are not valid');
  const faulty = [...faultyIn(workspace, environment), ...wrong].map(([project, problems]) =>
    faultyContainer(project, environment, problems),
  );
  return { secrets: secrets.found, ready, faulty };
}

/** The connections of a run, each opened once. */
function connected({ world, root }: InvocationCore, configured: string | undefined): Pick<Invocation, 'host' | 'close'> {
  const hosts = new Connections<OpenHost>();
  const sshConfig = configured && join(root, configured);
  return {
    host: (name) => hosts.to(name, () => world.openHost({ host: name, ...(sshConfig ? { sshConfig } : {}) })),
    close: () => hosts.close(),
  };
}

/** What both tiers need; see {@link InvocationCore}. */
export function runCore(
  request: RunRequest,
  secrets: ReadonlyMap<string, Secret>,
  names: { readonly known: readonly string[]; readonly storage: string | undefined },
): InvocationCore {
  const { root, runId, world } = request;
  const hiding = redactor(secrets.values(), names.known);
  const clean: Redactor = {
    ...hiding,
    error: (error) => hiding.error(complete(error, { environment: request.environment, storage: names.storage })),
  };
  const own = new AbortController();
  const { user, machine } = world.who();
  return {
    root,
    world,
    runId,
    who: `${user}@${machine}`,
    progress: (line) => request.print(clean.text(line)),
    clean,
    warnings: ordinaryWarnings(request.environment, secrets, names.known),
    signal: AbortSignal.any([request.signal, own.signal]),
    abort: (reason) => own.abort(reason),
  };
}

async function hostsBefore(world: World, file: string): Promise<HostsBefore> {
  const versions = await world.git.versions(file);
  return 'unknown' in versions ? versions : { hosts: hostsOfVersions(versions) };
}

/** The hosts of these targets, each once. */
export function hostsOf(targets: readonly Pick<PreparedContainer, 'host'>[]): string[] {
  return [...new Set(targets.map(({ host }) => host))].sort();
}
