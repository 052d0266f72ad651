import { InputError } from '../../tools/executors/src/engine/errors.ts';
import { ownRunId, RUN_ID } from '../../tools/executors/src/engine/run-id.ts';
import type { RunRequest } from '../../tools/executors/src/shared/run.ts';
import type { World as Outside } from '../../tools/executors/src/shared/world.ts';
import { environmentSchema, type NamedEnvironment } from '../../tools/executors/src/workspace/environment.ts';
import type { HostsBefore } from '../../tools/executors/src/workspace/hosts.ts';
import { fitToLook, type ReadWorkspace, valid } from '../../tools/executors/src/workspace/load.ts';
import type { ContainerProject } from '../../tools/executors/src/workspace/target.ts';
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

/** A new world of a site, in which nothing is yet. */
export function newWorld(site: Site): World {
  return new World(site.world);
}

/** What every request of a process has, whatever it asks for. */
export type Given = Required<Pick<RunRequest, 'root' | 'environment' | 'world' | 'runId' | 'signal' | 'print'>>;

/**
 * Runs a verb as a process of its own.
 *
 * @param value what the containers' settings say
 * @param work is given what its request must have, and a list of all lines of progress
 */
export async function runProcess<T>(
  site: Site,
  world: World,
  value: string,
  work: (given: Given, said: string[]) => Promise<T>,
  fate?: Fate,
): Promise<Process<T>> {
  world.pass(1);
  const connection = new Connection(world, fate, site.unreachable);
  const said: string[] = [];
  const process = ++world.processes;
  goBy(world);
  const outside = outsideOf(site, connection, value, process);
  const runId = ownRunId(outside);
  const given = {
    ...{ root: ROOT, environment: ENVIRONMENT, world: { ...outside, env: { [RUN_ID]: runId } }, runId },
    ...{ signal: new AbortController().signal, print: (line: string) => void said.push(line) },
  };
  const result = await Promise.race([work(given, said), connection.gone]);
  if (connection.fault !== undefined) throw connection.fault;
  return { commands: connection.commands, result: result ?? undefined };
}

const ROOT = '/model';

/** What the verbs meet outside of themselves: the site's files, a git without history, and the model's hosts. */
function outsideOf(site: Site, connection: Connection, value: string, process: number): Outside {
  const { before = { hosts: [] } } = site;
  const none = async () => ({ found: new Map(), missing: new Map() });
  let calls = 0;
  const lacks = (what: string) => () => Promise.reject(new Error(`the model has no ${what}`));
  return {
    who: () => ({ user: 'model', machine: 'test' }),
    env: {},
    now: () => new Date(),
    seconds: () => performance.now() / 1000,
    // Nothing is given twice, by no process.
    random: (bytes) => Uint8Array.of(++calls, ...Array<number>(bytes - 3).fill(0), process >> 8, process & 255),
    openHost: async ({ host }) => connection.open(host),
    openGuests: () => {
      throw new Error('the model has no guests');
    },
    connect: lacks('network'),
    knowsHostKey: lacks('guests'),
    files: {
      load: async () => valid(filesOf(site, value)),
      look: async () => fitToLook(filesOf(site, value)),
    },
    git: {
      state: async () => ({ head: '0'.repeat(40), changes: [] }),
      versions: async () =>
        'unknown' in before ? before : before.hosts.map(({ host, commit }) => ({ commit, text: JSON.stringify({ host }) })),
    },
    secrets: { load: none, find: none },
    artifacts: { obtain: lacks('artifacts'), available: lacks('artifacts') },
  };
}

/** What is read of the site's workspace. */
function filesOf({ environment, mistaken }: Site, value: string): ReadWorkspace {
  const error = new InputError(`infra/${mistaken}/container.json: settings.value: found nothing; expected string`);
  const problems = mistaken === undefined ? [] : [{ container: mistaken, error }];
  const workspace = {
    ...{ root: ROOT, infra: 'infra', apps: [], storage: { project: 'zfs', root: 'infra/zfs', description: 'storage' } },
    environments: new Map([[environment.name, environment]]),
    containers: CONTAINERS.filter((name) => name !== mistaken).map((name) => project(name, value)),
    faulty: mistaken === undefined ? [] : [{ project: mistaken, environments: undefined, problems: [error] }],
  };
  return { workspace, problems };
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
