import { InputError } from '../../tools/executors/src/engine/errors.ts';
import { redactor } from '../../tools/executors/src/engine/redactor.ts';
import { newRunId } from '../../tools/executors/src/engine/run-id.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import { divided } from '../../tools/executors/src/shared/left-out.ts';
import { type Run, type RunRequest, remember } from '../../tools/executors/src/shared/run.ts';
import type { Target } from '../../tools/executors/src/shared/target.ts';
import { environmentSchema, type NamedEnvironment } from '../../tools/executors/src/workspace/environment.ts';
import type { HostsBefore } from '../../tools/executors/src/workspace/hosts.ts';
import { type ContainerProject, placeIn, resolveContainer } from '../../tools/executors/src/workspace/target.ts';
import { modelService } from './service.ts';
import { goBy } from './time.ts';
import { Connection, type Fate, SECOND } from './world/host.ts';
import { World, type WorldSpec } from './world/world.ts';

/** The containers of the model's environment. */
export const CONTAINERS = ['alpha', 'beta'] as const;
export const ENVIRONMENT = 'prod';

/** An environment on one kind of storage. */
export type Site = {
  readonly world: WorldSpec;
  readonly environment: NamedEnvironment;
  /** What git says of the environment's file. */
  readonly before?: HostsBefore;
  /** Hosts that do not answer. */
  readonly unreachable?: readonly string[];
  /** The container whose file has a mistake. */
  readonly mistaken?: string;
};

/** On ZFS, in the default project. */
export const onZfs: Site = {
  world: { projects: ['default'], pools: [{ name: 'zpool', driver: 'zfs', dataset: 'tank/incus' }] },
  environment: environment('default', 'zpool'),
};

/** On btrfs, in another project. */
export const onBtrfs: Site = {
  world: { projects: ['default', 'moor'], pools: [{ name: 'subvolumes', driver: 'btrfs' }] },
  environment: environment('moor', 'subvolumes'),
};

/** One container on each of two hosts, both on ZFS. */
export const onTwoHosts: Site = {
  world: { ...onZfs.world, second: onZfs.world },
  environment: { ...onZfs.environment, containers: { beta: { host: SECOND } } },
};

/** A process of the tool: its connection to the host, and how the process ended. */
export type Process<T> = {
  /** Commands that the host has executed for it. */
  readonly commands: number;
  /** What it gave; nothing when it is gone. */
  readonly result: T | undefined;
};

const processes = new Map<string, (request: RunRequest) => Run>();

/** Stands in place of `openRun`: no files are read, and the host is the model's. */
export function openModelRun(request: RunRequest): Run {
  const open = processes.get(request.root);
  if (open === undefined) throw new Error(`no process of the model has the workspace ${request.root}`);
  return open(request);
}

/** A new world of a site, in which nothing is yet. */
export function newWorld(site: Site): World {
  return new World(site.world);
}

/**
 * Runs a verb as a process of its own.
 *
 * @param value what the containers' settings say
 * @param work is given the folder and the id that its request must have, and a list of all lines of progress
 */
export async function runProcess<T>(
  site: Site,
  world: World,
  value: string,
  work: (root: string, runId: string, said: string[]) => Promise<T>,
  fate?: Fate,
): Promise<Process<T>> {
  world.pass(1);
  const connection = new Connection(world, fate, site.unreachable);
  const said: string[] = [];
  const root = `/model/${processes.size}-${++opened}`;
  const runId = newRunId(new Date(world.seconds() * 1000), Uint8Array.of(0, 0, 0, 0, ++world.processes >> 8, world.processes & 255));
  goBy(world);
  processes.set(root, (request) => modelRun(site, connection, value, { ...request, runId, print: (line) => said.push(line) }));
  try {
    const result = await Promise.race([work(root, runId, said), connection.gone]);
    if (connection.fault !== undefined) throw connection.fault;
    return { commands: connection.commands, result: result ?? undefined };
  } finally {
    processes.delete(root);
  }
}

let opened = 0;

/** The run of a process; the same that `openRun` makes from files. */
export function modelRun(site: Site, connection: Connection, value: string, request: RunRequest): Run {
  const { environment, mistaken } = site;
  const faulty = CONTAINERS.filter((project) => project === mistaken).map((project) => ({
    project,
    ...placeIn(environment, project),
    error: new InputError(`infra/${project}/container.json: settings.value: found nothing; expected string`),
  }));
  if (faulty[0] !== undefined && !request.looks) throw faulty[0].error;
  const own = new AbortController();
  const hosts = new Map<string, Promise<OpenHost>>();
  return {
    root: request.root,
    workspace: workspaceOf(site, request.root),
    environment,
    ...divided(
      environment,
      CONTAINERS.filter((project) => project !== mistaken).map((project) => targetOf(environment, project, value)),
      request,
    ),
    faulty,
    leaveBehind: request.leaveBehind ?? [],
    without: request.without ?? [],
    hostsBefore: async () => site.before ?? { hosts: [] },
    adopts: ({ project }) => request.adopt?.includes(project) ?? false,
    runId: request.runId,
    who: 'model@test',
    progress: request.print,
    clean: redactor([]),
    warnings: [],
    signal: AbortSignal.any([request.signal, own.signal]),
    abort: (reason) => own.abort(reason),
    host: (name) => remember(hosts, name, async () => connection.open(name)),
    obtain: () => Promise.reject(new Error('the model has no artifacts')),
    close: async () => {},
  };
}

function workspaceOf({ environment }: Site, root: string): Run['workspace'] {
  const storage = { project: 'zfs', root: 'infra/zfs', description: 'storage' };
  return {
    root,
    environments: new Map([[environment.name, environment]]),
    containers: CONTAINERS.map((name) => project(name, '')),
    apps: [],
    storage,
    faulty: [],
  };
}

function targetOf(named: NamedEnvironment, name: string, value: string): Target {
  const container = resolveContainer(project(name, value), named);
  const settings = modelService.settings.parse(container.settings);
  const context = { environment: named.name, instance: container.instance, artifacts: {} };
  return { ...container, desired: (clientNetworks) => ({ settings, context: { ...context, clientNetworks } }) };
}

function project(name: string, value: string): ContainerProject {
  const file = { description: name, service: 'model', limits: {}, devices: {}, settings: { value } };
  return { project: name, root: `infra/${name}`, file, service: modelService as ContainerProject['service'] };
}

function environment(project: string, profile: string): NamedEnvironment {
  const parsed = environmentSchema.parse({
    host: 'model',
    incus: { project, profiles: [profile], image: 'base' },
    prefix: 'm-',
    network: 'net',
    retention: 2,
  });
  return { ...parsed, name: ENVIRONMENT };
}
