import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AppSettings, appService, appSettings } from '../../apps/index.ts';
import { explainedBy, InputError, NotPartError } from '../../engine/errors.ts';
import { parseInterface } from '../../engine/ip.ts';
import type { Secret } from '../../engine/secret.ts';
import { resolveReferences, secretNames } from '../../engine/secret-reference.ts';
import type { Desired } from '../../engine/service.ts';
import type { OpenHost } from '../../engine/transport.ts';
import { openProxmox, type Proxmox } from '../../platforms/proxmox/index.ts';
import type { WantedGuest } from '../../platforms/proxmox/wanted.ts';
import { type AppTarget, appsOf, type GuestEnvironment } from '../../workspace/app-target.ts';
import { readKeys } from '../../workspace/keys.ts';
import { environmentOf } from '../../workspace/load.ts';
import { parseAll, refuse } from '../../workspace/problems.ts';
import { knownHostsFile } from '../../workspace/proxmox.ts';
import type { StoredArtifact } from '../apply.ts';
import { namesOf } from '../names.ts';
import { closeAll, type RunCore, type RunRequest, remember, runCore } from '../run.ts';
import { writeSshConfig } from './ssh-config.ts';

/** An application with its settings complete: secrets are in, keys are read. */
export type AppReady = AppTarget & {
  /** Its guest's address, without the length of its network. */
  readonly address: string;
  readonly wanted: WantedGuest;
  readonly desired: Desired<AppSettings>;
};

/** Everything one invocation knows of the applications before it asks anybody, and the connections it holds. */
export type AppRun = RunCore & {
  readonly environment: GuestEnvironment;
  /** Applications of the request that are part of the environment, by name. */
  readonly targets: readonly AppReady[];
  readonly proxmox: Proxmox;
  /** Who may log in to a new guest. */
  readonly publicKeys: readonly string[];
  /** File of the guests' host keys, absolute. */
  readonly knownHosts: string;
  /** Whether `--adopt` names a guest. */
  adopts(target: AppReady): boolean;
  /** The connection to a guest, as root; opened once it is there. */
  guest(target: AppReady): Promise<OpenHost>;
  /** The host that asks who has an address: the environment's, or this machine. */
  probe(): Promise<OpenHost>;
  /** A binary that the guest needs; fetched once. */
  obtain(target: AppReady, artifact: string): Promise<StoredArtifact>;
  close(): Promise<void>;
};

/**
 * Reads and checks everything that can be known on this machine: files, settings, secrets, keys. Nothing is asked.
 *
 * @param projects applications that the request is about
 * @throws ProblemsError naming everything that is wrong, at once; NotPartError where none of them is part of the environment
 */
export async function openAppRun(request: RunRequest & { readonly projects: readonly string[] }): Promise<AppRun> {
  const { root, world, signal } = request;
  const workspace = await (request.looks ? world.files.look() : world.files.load());
  const { infra } = workspace;
  const targets = appsOf(workspace.apps, environmentOf(workspace, request.environment)).filter(({ project }) =>
    request.projects.includes(project),
  );
  const [first] = targets;
  if (first === undefined) throw new NotPartError(`${request.projects.join(', ')}: not part of ${request.environment}`);
  const { environment } = first;
  const { proxmox } = environment;
  const file = `${infra}/environments/${environment.name}.json`;
  const names = secretNames([proxmox.tokenSecret, ...targets.flatMap(({ settings, guest }) => [settings, guest.password])]);
  const { found: secrets } = await world.secrets.load({ infra, environment, names, signal }).catch(explainedBy('secrets'));
  const ready = completed(root, targets, (name) => secrets.get(name) as Secret, request.skipTrial);
  const core = runCore(request, secrets, {
    known: namesOf(workspace, environment, world.who(), { apps: targets }),
    storage: workspace.storage?.project,
  });
  const client = openProxmox(
    {
      url: proxmox.url,
      tokenId: proxmox.tokenId,
      tokenSecret: resolveReferences(proxmox.tokenSecret, (name) => secrets.get(name) as Secret) as Secret,
      fingerprint: proxmox.fingerprint,
      ca: proxmox.ca === undefined ? undefined : readCa(root, proxmox.ca, file),
    },
    { signal: core.signal, waiting: (why) => core.progress(`waiting: ${why}`) },
  );
  const hosts = new Map<string, Promise<OpenHost>>();
  const artifacts = new Map<string, Promise<StoredArtifact>>();
  const knownHosts = join(root, knownHostsFile(infra, environment));
  const userConfig = environment.sshConfig && join(root, environment.sshConfig);
  return {
    ...core,
    environment,
    targets: ready,
    proxmox: client,
    publicKeys: readKeys(root, proxmox.authorizedKeys, file),
    knownHosts,
    adopts: ({ project, guest }) => request.adopt?.some((name) => name === project || name === guest.name) ?? false,
    guest: ({ address }) =>
      remember(hosts, address, async () => {
        const sshConfig = await writeSshConfig(root, {
          environment: environment.name,
          address,
          user: proxmox.user,
          knownHosts,
          userConfig,
        });
        return world.openHost({ host: address, sshConfig, sudo: proxmox.user !== 'root' });
      }).catch((error) => {
        // One that was not up yet may be up when it is asked for again.
        hosts.delete(address);
        throw error;
      }),
    probe: () =>
      remember(hosts, 'probe', () => world.openHost({ host: proxmox.probe ?? 'local', ...(userConfig ? { sshConfig: userConfig } : {}) })),
    obtain: (target, artifact) =>
      remember(artifacts, `${target.project}/${artifact}`, async () => {
        const spec = target.desired.context.artifacts[artifact];
        if (spec === undefined) throw new Error(`${target.project} has no artifact ${artifact}`);
        const options = { progress: (line: string) => core.progress(`${target.project}: ${line}`), signal: core.signal };
        return world.artifacts.obtain(spec, options).catch(explainedBy('binaries'));
      }),
    close: async () => {
      client.close();
      await closeAll(hosts.values());
    },
  };
}

function completed(root: string, targets: readonly AppTarget[], lookup: (name: string) => Secret, skipTrial = false): AppReady[] {
  const results = targets.map((target) => {
    const file = `${target.root}/app.json`;
    const { authorizedKeys, gitHostKeys, ...rest } = target.settings;
    const keys = { authorizedKeys: readKeys(root, authorizedKeys, file), gitHostKeys: readKeys(root, gitHostKeys, file) };
    return { target, parsed: parseAll(appSettings, { ...(resolveReferences(rest, lookup) as typeof rest), ...keys }, { file }) };
  });
  refuse(
    results.flatMap(({ parsed }) => ('problems' in parsed ? parsed.problems : [])),
    'the settings are not valid',
  );
  return results.flatMap(({ target, parsed }) => ('value' in parsed ? [readyTarget(target, parsed.value, lookup, skipTrial)] : []));
}

function readyTarget(target: AppTarget, settings: AppSettings, lookup: (name: string) => Secret, skipTrial: boolean): AppReady {
  const { guest, environment, project } = target;
  const { proxmox } = environment;
  const { branch: _, envVars: __, password, ...described } = guest;
  return {
    ...target,
    address: parseInterface(guest.ip).address,
    wanted: {
      ...described,
      node: proxmox.node,
      bridge: guest.bridge ?? proxmox.bridge,
      template: guest.template ?? proxmox.template,
      nameserver: guest.nameserver ?? proxmox.nameserver,
      password: password === undefined ? undefined : (resolveReferences(password, lookup) as Secret),
      owner: `${environment.name}/${project}`,
    },
    desired: {
      settings,
      context: {
        environment: environment.name,
        instance: guest.name,
        clientNetworks: [],
        artifacts: appService(settings).artifacts?.(settings) ?? {},
        skipTrial,
      },
    },
  };
}

function readCa(root: string, path: string, file: string): string {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    throw new InputError(`${path}, the CA that ${file} names, cannot be read: ${error instanceof Error ? error.message : error}`, {
      page: 'files',
    });
  }
}
