import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { artifactKey } from '../artifacts/content.ts';
import { obtain } from '../artifacts/store.ts';
import { explainedBy, NotPartError } from '../engine/errors.ts';
import { complete } from '../engine/nx-command.ts';
import { type Redactor, redactor } from '../engine/redactor.ts';
import type { Secret } from '../engine/secret.ts';
import { secretNames } from '../engine/secret-reference.ts';
import type { OpenHost } from '../engine/transport.ts';
import { openHost } from '../hosts/index.ts';
import { type FoundSecrets, findSecrets, loadSecrets } from '../secrets/load.ts';
import { ordinaryWarnings } from '../secrets/warnings.ts';
import { hasContainers, type NamedEnvironment } from '../workspace/environment.ts';
import { infraFolder } from '../workspace/files.ts';
import { readVersions } from '../workspace/git.ts';
import { type HostsBefore, hostsOfVersions } from '../workspace/hosts.ts';
import { containersOf, environmentOf, loadToLook, loadWorkspace, type StorageProject, type Workspace } from '../workspace/load.ts';
import { refuse } from '../workspace/problems.ts';
import type { StoredArtifact } from './apply.ts';
import { refuseUnknownLeft } from './leave-behind.ts';
import { divided } from './left-out.ts';
import { namesOf } from './names.ts';
import { completed, type FaultyTarget, faultyIn, faultyTarget, type Target } from './target.ts';

/** What an invocation of either tier knows before it asks a host. */
export type RunCore = {
  /** The workspace, absolute. */
  readonly root: string;
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
export type Run = RunCore & {
  readonly workspace: Workspace & { readonly storage: StorageProject };
  readonly environment: NamedEnvironment;
  /** All containers that are part of the environment, by name; without those of {@link leftOut}. */
  readonly targets: readonly Target[];
  /** What `--leave-behind` names. */
  readonly leaveBehind: readonly string[];
  /** Hosts that `--without` leaves out. */
  readonly without: readonly string[];
  /** The environment's containers there. */
  readonly leftOut: readonly Target[];
  /** The environment's containers of which nothing can be done, for a mistake in what is theirs alone; none in a run that changes anything. */
  readonly faulty: readonly FaultyTarget[];
  /** The hosts that the environment's file has named so far, by git. */
  hostsBefore(): Promise<HostsBefore>;
  /** Whether `--adopt` names a container. */
  adopts(target: Target): boolean;
  /** The connection to a host by its name in the environment; opened once. */
  host(name: string): Promise<OpenHost>;
  /** A binary of a container's service; built or fetched once. */
  obtain(target: Target, artifact: string): Promise<StoredArtifact>;
  close(): Promise<void>;
};

/** What every verb is given. */
export type RunRequest = {
  readonly root: string;
  readonly environment: string;
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
export async function openRun(request: RunRequest): Promise<Run> {
  const { looks = false } = request;
  const workspace = await (looks ? loadToLook : loadWorkspace)(request.root);
  const environment = environmentOf(workspace, request.environment);
  const { storage } = workspace;
  if (!hasContainers(environment) || storage === undefined) throw new NotPartError(`no container is part of ${environment.name}`);
  const containers = containersOf(workspace, environment.name);
  const names = [...new Set(containers.flatMap(({ settings }) => secretNames(settings)))];
  const options = { infra: infraFolder(request.root), signal: request.signal };
  const secrets = await (looks
    ? findSecrets(request.root, environment, names, options)
    : loadSecrets(request.root, environment, names, options).then((found): FoundSecrets => ({ found, missing: new Map() }))
  ).catch(explainedBy('secrets'));
  const { ready, wrong } = completed(containers, secrets, request.skipTrial);
  if (!looks) refuse([...wrong.values()].flat(), 'the settings are not valid');
  const faulty = [...faultyIn(workspace, environment), ...wrong].map(([project, problems]) => faultyTarget(project, environment, problems));
  const { targets, leftOut } = divided(environment, ready, request);
  const { leaveBehind = [] } = request;
  refuseUnknownLeft(
    leaveBehind,
    environment.name,
    containers.map(({ project }) => project),
  );
  const core = runCore(request, secrets.found, { known: namesOf(workspace, environment, { containers }), storage: storage.project });
  const hosts = new Map<string, Promise<OpenHost>>();
  const artifacts = new Map<string, Promise<StoredArtifact>>();
  const before = new Map<string, Promise<HostsBefore>>();
  const sshConfig = environment.sshConfig && join(request.root, environment.sshConfig);
  return {
    ...core,
    workspace: { ...workspace, storage },
    environment,
    targets,
    leaveBehind,
    without: request.without ?? [],
    leftOut,
    faulty,
    hostsBefore: () => remember(before, environment.name, () => hostsBefore(request.root, environment.name)),
    adopts: ({ project, instance }) => request.adopt?.some((name) => name === project || name === instance) ?? false,
    host: (name) => remember(hosts, name, () => openHost({ host: name, ...(sshConfig ? { sshConfig } : {}) })),
    obtain: async (target, artifact) => {
      const spec = target.desired([]).context.artifacts[artifact];
      if (spec === undefined) throw new Error(`${target.service.name} has no artifact ${artifact}`);
      const progress = (line: string) => core.progress(`${target.project}: ${line}`);
      // Two containers of one service may want different ones.
      return remember(artifacts, artifactKey(spec), () =>
        obtain(spec, { root: request.root, progress, signal: core.signal }).catch(explainedBy('binaries')),
      );
    },
    close: async () => {
      const open = await Promise.allSettled(hosts.values());
      await Promise.all(open.map((host) => (host.status === 'fulfilled' ? host.value.close() : undefined)));
    },
  };
}

/** What both tiers need; see {@link RunCore}. */
export function runCore(
  request: RunRequest,
  secrets: ReadonlyMap<string, Secret>,
  names: { readonly known: readonly string[]; readonly storage: string | undefined },
): RunCore {
  const hiding = redactor(secrets.values(), names.known);
  const clean: Redactor = {
    ...hiding,
    error: (error) => hiding.error(complete(error, { environment: request.environment, storage: names.storage })),
  };
  const own = new AbortController();
  return {
    root: request.root,
    runId: request.runId,
    who: `${userInfo().username}@${hostname()}`,
    progress: (line) => request.print(clean.text(line)),
    clean,
    warnings: ordinaryWarnings(request.environment, secrets, names.known),
    signal: AbortSignal.any([request.signal, own.signal]),
    abort: (reason) => own.abort(reason),
  };
}

async function hostsBefore(root: string, environment: string): Promise<HostsBefore> {
  const versions = await readVersions(root, `${infraFolder(root)}/environments/${environment}.json`);
  return 'unknown' in versions ? versions : { hosts: hostsOfVersions(versions) };
}

/** The hosts of these targets, each once. */
export function hostsOf(targets: readonly Pick<Target, 'host'>[]): string[] {
  return [...new Set(targets.map(({ host }) => host))].sort();
}

/** The value under a key, made once: two that ask at the same time wait for the same work. */
export function remember<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const existing = known.get(key);
  if (existing !== undefined) return existing;
  const made = make();
  known.set(key, made);
  return made;
}
