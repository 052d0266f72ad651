import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainedBy, InputError, NotPartError } from '../../engine/errors.ts';
import type { GuestPlatform, GuestSite } from '../../engine/guest-platform.ts';
import type { Secret } from '../../engine/secret.ts';
import { resolveReferences, secretNames } from '../../engine/secret-reference.ts';
import type { OpenHost } from '../../engine/transport.ts';
import { type AppInEnvironment, appsOf, type GuestEnvironment } from '../../workspace/app-target.ts';
import { readKeys } from '../../workspace/keys.ts';
import { environmentOf } from '../../workspace/load.ts';
import { knownHostsFile } from '../../workspace/proxmox.ts';
import type { StoredArtifact } from '../apply.ts';
import { binariesOf } from '../binaries.ts';
import { Connections } from '../connections.ts';
import { namesOf } from '../names.ts';
import { type InvocationCore, type RunRequest, runCore } from '../run.ts';
import { writeSshConfig } from './ssh-config.ts';
import { completedApps, type PreparedApp } from './target.ts';

/** Everything one invocation knows of the applications before it asks anybody, and the connections it holds. */
export type AppInvocation = InvocationCore & {
  readonly environment: GuestEnvironment;
  /** Applications of the request that are part of the environment, by name. */
  readonly targets: readonly PreparedApp[];
  /** Where its guests live. */
  readonly platform: GuestPlatform;
  /** File of the guests' host keys, absolute. */
  readonly knownHosts: string;
  /** Whether `--adopt` names a guest. */
  adopts(target: PreparedApp): boolean;
  /** The connection to a guest, as root; opened once it is there. */
  guest(target: PreparedApp): Promise<OpenHost>;
  /** The host that asks who has an address: the environment's, or this machine. */
  probe(): Promise<OpenHost>;
  /** A binary that the guest needs; fetched once. */
  obtain(target: PreparedApp, artifact: string): Promise<StoredArtifact>;
  close(): Promise<void>;
};

/**
 * Reads and checks everything that can be known on this machine: files, settings, secrets, keys. Nothing is asked.
 *
 * @param projects applications that the request is about
 * @throws ProblemsError naming everything that is wrong, at once; NotPartError where none of them is part of the environment
 */
export async function openAppRun(request: RunRequest & { readonly projects: readonly string[] }): Promise<AppInvocation> {
  const { root, world } = request;
  const workspace = await (request.looks ? world.files.look() : world.files.load());
  const { infra } = workspace;
  const targets = appsOf(workspace.apps, environmentOf(workspace, request.environment)).filter(({ project }) =>
    request.projects.includes(project),
  );
  const [first] = targets;
  if (first === undefined) throw new NotPartError(`${request.projects.join(', ')}: not part of ${request.environment}`);
  const { environment } = first;
  const secrets = await secretsOf(request, infra, environment, targets);
  const lookup = (name: string) => secrets.get(name) as Secret;
  const ready = completedApps(root, targets, lookup, request.skipTrial);
  const core = runCore(request, secrets, {
    known: namesOf(workspace, environment, world.who(), { apps: targets }),
    storage: workspace.storage?.project,
  });
  const ways = waysOf(core, infra, environment);
  const binaries = binariesOf(core);
  const platform = world.openGuests(siteOf(root, infra, environment, lookup, ways.probe), core);
  return {
    ...core,
    ...ways,
    environment,
    targets: ready,
    platform,
    adopts: ({ project, guest }) => request.adopt?.some((name) => name === project || name === guest.name) ?? false,
    obtain: ({ project, desired }, artifact) => binaries(project, desired.context.artifacts, artifact),
    close: async () => {
      platform.close();
      await ways.close();
    },
  };
}

async function secretsOf(
  { world, signal }: RunRequest,
  infra: string,
  environment: GuestEnvironment,
  targets: readonly AppInEnvironment[],
): Promise<ReadonlyMap<string, Secret>> {
  const names = secretNames([environment.proxmox.tokenSecret, ...targets.flatMap(({ settings, guest }) => [settings, guest.password])]);
  const { found } = await world.secrets.load({ infra, environment, names, signal }).catch(explainedBy('secrets'));
  return found;
}

/** The ways into the guests of an environment, and to the host in their network that is asked about them. */
function waysOf(
  { root, world }: InvocationCore,
  infra: string,
  environment: GuestEnvironment,
): Pick<AppInvocation, 'knownHosts' | 'guest' | 'probe' | 'close'> {
  const { name, proxmox, sshConfig } = environment;
  const { user, probe = 'local' } = proxmox;
  const hosts = new Connections<OpenHost>();
  const knownHosts = join(root, knownHostsFile(infra, environment));
  const userConfig = sshConfig && join(root, sshConfig);
  return {
    knownHosts,
    guest: ({ address }) =>
      hosts.toStarting(address, async () => {
        const written = await writeSshConfig(root, { environment: name, address, user, knownHosts, userConfig });
        return world.openHost({ host: address, sshConfig: written, sudo: user !== 'root' });
      }),
    probe: () => hosts.to('probe', () => world.openHost({ host: probe, ...(userConfig ? { sshConfig: userConfig } : {}) })),
    close: () => hosts.close(),
  };
}

/** Where the environment's guests live, with the secret of its token in and the files that it names read. */
function siteOf(
  root: string,
  infra: string,
  { name, proxmox }: GuestEnvironment,
  lookup: (name: string) => Secret,
  openProbe: () => Promise<OpenHost>,
): GuestSite {
  const file = `${infra}/environments/${name}.json`;
  const { url, tokenId, tokenSecret, fingerprint, ca, node, storage, knownElsewhere, authorizedKeys, probe } = proxmox;
  return {
    environment: name,
    url,
    tokenId,
    tokenSecret: resolveReferences(tokenSecret, lookup) as Secret,
    fingerprint,
    ca: ca === undefined ? undefined : readCa(root, ca, file),
    node,
    storage,
    knownElsewhere,
    publicKeys: readKeys(root, authorizedKeys, file),
    probe: { host: probe ?? 'local', configured: probe !== undefined, open: openProbe },
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
