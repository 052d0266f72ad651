import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainedBy, InputError, NotPartError } from '../../engine/errors.ts';
import type { GuestPlatform, GuestSite } from '../../engine/guest-platform.ts';
import type { Secret } from '../../engine/secret.ts';
import { resolveReferences, secretNames } from '../../engine/secret-reference.ts';
import type { OpenHost } from '../../engine/transport.ts';
import { openProxmoxGuests } from '../../platforms/proxmox/platform.ts';
import { appsOf, type GuestEnvironment } from '../../workspace/app-target.ts';
import { infraFolder } from '../../workspace/files.ts';
import { readKeys } from '../../workspace/keys.ts';
import { environmentOf } from '../../workspace/load.ts';
import { knownHostsFile } from '../../workspace/proxmox.ts';
import type { StoredArtifact } from '../apply.ts';
import { namesOf } from '../names.ts';
import { closeAll, type RunCore, type RunRequest, remember, runCore } from '../run.ts';
import { writeSshConfig } from './ssh-config.ts';
import { type AppReady, completedApps } from './target.ts';

/** Everything one invocation knows of the applications before it asks anybody, and the connections it holds. */
export type AppRun = RunCore & {
  readonly environment: GuestEnvironment;
  /** Applications of the request that are part of the environment, by name. */
  readonly targets: readonly AppReady[];
  /** Where its guests live. */
  readonly platform: GuestPlatform;
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
  const names = secretNames([proxmox.tokenSecret, ...targets.flatMap(({ settings, guest }) => [settings, guest.password])]);
  const { found: secrets } = await world.secrets.load({ infra, environment, names, signal }).catch(explainedBy('secrets'));
  const lookup = (name: string) => secrets.get(name) as Secret;
  const ready = completedApps(root, targets, lookup, request.skipTrial);
  const core = runCore(request, secrets, {
    known: namesOf(workspace, environment, world.who(), { apps: targets }),
    storage: workspace.storage?.project,
  });
  const hosts = new Map<string, Promise<OpenHost>>();
  const artifacts = new Map<string, Promise<StoredArtifact>>();
  const knownHosts = join(root, knownHostsFile(infra, environment));
  const userConfig = environment.sshConfig && join(root, environment.sshConfig);
  const probe = () =>
    remember(hosts, 'probe', () => world.openHost({ host: proxmox.probe ?? 'local', ...(userConfig ? { sshConfig: userConfig } : {}) }));
  const platform = openProxmoxGuests(siteOf(root, environment, lookup, probe), core);
  return {
    ...core,
    environment,
    targets: ready,
    platform,
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
    probe,
    obtain: (target, artifact) =>
      remember(artifacts, `${target.project}/${artifact}`, async () => {
        const spec = target.desired.context.artifacts[artifact];
        if (spec === undefined) throw new Error(`${target.project} has no artifact ${artifact}`);
        const options = { progress: (line: string) => core.progress(`${target.project}: ${line}`), signal: core.signal };
        return world.artifacts.obtain(spec, options).catch(explainedBy('binaries'));
      }),
    close: async () => {
      platform.close();
      await closeAll(hosts.values());
    },
  };
}

/** Where the environment's guests live, with the secret of its token in and the files that it names read. */
function siteOf(
  root: string,
  { name, proxmox }: GuestEnvironment,
  lookup: (name: string) => Secret,
  openProbe: () => Promise<OpenHost>,
): GuestSite {
  const file = `${infraFolder(root)}/environments/${name}.json`;
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
