import type { Change } from '../../engine/change.ts';
import { InputError, MooringError, SafetyError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { AT_CREATION, type Created, createParams } from '../../platforms/proxmox/create.ts';
import type { Verdict } from '../../platforms/proxmox/guard.ts';
import {
  bridgeRight,
  type Connected,
  type Guest,
  grantLines,
  missingRights,
  NET,
  neededRights,
  parseProperties,
  ROOTFS,
  readGuest,
} from '../../platforms/proxmox/index.ts';
import type { Params } from '../../platforms/proxmox/params.ts';
import { type GuestChange, planGuest } from '../../platforms/proxmox/reconcile.ts';
import { ownerOf } from '../../platforms/proxmox/wanted.ts';
import type { Cluster } from './cluster.ts';
import { lookForCreation, type Ready } from './creation.ts';
import type { AppReady, AppRun } from './run.ts';

/** The flags that a plan depends on. */
export type ProvisionFlags = { readonly allowRestart: boolean; readonly allowIpConflicts: boolean };

/** What provision would do to one guest. */
export type ProvisionPlan = {
  /** As it is; nothing where it is absent. */
  readonly guest: Guest | undefined;
  readonly changes: readonly Change[];
  /** What forbids to begin. */
  readonly problems: readonly MooringError[];
  readonly verdict: Verdict;
  /** For an absent guest: what it is created with, and the template to be had before. */
  readonly creation: { readonly params: Params; readonly download: Ready['download'] } | undefined;
};

/** Looks at one guest and at everything that it needs, and plans. Changes nothing. */
export async function planProvision(run: AppRun, cluster: Cluster, target: AppReady, flags: ProvisionFlags): Promise<ProvisionPlan> {
  const { wanted } = target;
  const [guest, verdict] = await Promise.all([readGuest(run.proxmox, wanted), cluster.judge(target)]);
  const guarded = guardProblems(target, verdict, flags);
  if (guest === undefined) return absent(run, cluster, target, verdict, guarded);
  const { bridge: now, tag } = parseProperties(NET, guest.config.options.net0 ?? '');
  const bridge = wanted.bridge ?? now ?? AT_CREATION.bridge;
  const rights = await rightsProblems(run, cluster, target, {
    storage: storageOf(guest) ?? wanted.storage,
    connected: { bridge, tag },
    joining: bridge !== now,
  });
  const { changes } = planGuest(wanted, guest);
  const starting: Change[] = guest.status.status === 'stopped' && wanted.start ? [startOf(target)] : [];
  const owned = ownership(run, target, guest);
  return {
    guest,
    verdict,
    creation: undefined,
    changes: [...changes, ...starting],
    problems: [...owned, ...guarded, ...rights, ...(owned.length > 0 ? [] : changes.flatMap((change) => refusal(target, change, flags)))],
  };
}

async function absent(
  run: AppRun,
  cluster: Cluster,
  target: AppReady,
  verdict: Verdict,
  guarded: readonly MooringError[],
): Promise<ProvisionPlan> {
  const { wanted } = target;
  const elsewhere = (await cluster.guests()).find(({ vmid }) => vmid === wanted.vmid);
  if (elsewhere !== undefined) {
    const problem = new SafetyError(
      `${elsewhere.type} ${elsewhere.vmid} is there already: ${elsewhere.name} on ${elsewhere.node}, and no LXC guest of ${wanted.node}`,
      { next: `another "vmid" in ${target.root}/app.json, or "node" in the environment's proxmox` },
    );
    return { guest: undefined, verdict, creation: undefined, changes: [], problems: [problem] };
  }
  const { ready, storage, bridge, problems } = await lookForCreation(run, cluster, target);
  const rights = await rightsProblems(run, cluster, target, {
    storage,
    connected: { bridge },
    joining: true,
    ...(ready?.download === undefined ? {} : { download: { storage: ready.download.storage, url: false } }),
  });
  return {
    guest: undefined,
    verdict,
    creation: ready && { params: createParams(wanted, ready.created), download: ready.download },
    changes: [createOf(target, ready?.created), ...(wanted.start ? [startOf(target)] : [])],
    problems: [...guarded, ...rights, ...problems],
  };
}

function createOf({ wanted }: AppReady, created: Created | undefined): Change {
  const { storage = '?', bridge = '?', template = '?' } = created ?? {};
  const { vmid, name, ip, gateway, node } = wanted;
  return {
    resource: `guest ${vmid} (${name})`,
    action: 'create',
    after: { node, ip, gateway, bridge, disk: `${storage}:${wanted.disk ?? AT_CREATION.disk} GiB`, template },
    impact: 'none',
    because: 'it is absent',
    commands: [],
  };
}

function startOf({ wanted }: AppReady): Change {
  return { resource: `guest ${wanted.vmid} (${wanted.name})`, action: 'restart', impact: 'none', because: 'it does not run', commands: [] };
}

function guardProblems({ address, root, environment }: AppReady, verdict: Verdict, { allowIpConflicts }: ProvisionFlags): MooringError[] {
  if (verdict.state === 'free' || allowIpConflicts) return [];
  const place = `${root}/app.json: environments.${environment.name}.ip`;
  if (verdict.state === 'taken') {
    return [
      new SafetyError(`${place}: ${address} is taken: ${verdict.by.join('; ')}`, {
        next: 'another "ip"; or, if this is known to be wrong: --allow-ip-conflicts',
      }),
    ];
  }
  return [
    new SafetyError(`${place}: it is not known whether ${address} is free. What could not be seen: ${verdict.unseen.join('; ')}`, {
      next: 'make that visible to the token; or, if the address is known to be free: --allow-ip-conflicts',
    }),
  ];
}

async function rightsProblems(
  run: AppRun,
  cluster: Cluster,
  { guest, project }: AppReady,
  places: { storage: string | undefined; connected: Connected; joining: boolean; download?: { storage: string; url: boolean } },
): Promise<MooringError[]> {
  const { tokenId } = run.environment.proxmox;
  const { storage = '', connected, joining, download } = places;
  const given = await cluster.permissions();
  const bridge = await bridgeRight(connected, given, cluster.network, joining);
  const needs = neededRights({ node: run.environment.proxmox.node, vmid: guest.vmid, storage, bridge, download });
  // Which storage it would be is told as a problem of its own.
  const known = needs.filter(({ path }) => path !== '/storage/');
  const missing = missingRights(given, known);
  if (missing.length === 0) return [];
  const lacks = missing.map(({ need, privileges }) => `${privileges.join(', ')} on ${need.path} (${need.why})`);
  return [
    new MooringError(`${project}: the token ${tokenId} lacks ${lacks.join('; ')}`, {
      host: run.proxmox.name,
      next: `as root on a node:\n${grantLines(missing, tokenId).join('\n')}`,
    }),
  ];
}

/** A guest that is not ours is not touched, unless it is to be taken over. */
function ownership(run: AppRun, target: AppReady, guest: Guest): MooringError[] {
  const { wanted, project } = target;
  const owner = ownerOf(guest.config.options.description);
  if (owner === wanted.owner) return [];
  const name = `guest ${wanted.vmid} (${guest.config.options.hostname ?? 'without a host name'}) on ${wanted.node}`;
  if (owner !== undefined)
    return [new SafetyError(`${name} belongs to ${owner}, not to ${wanted.owner}`, { next: `another "vmid" in ${target.root}/app.json` })];
  if (run.adopts(target)) return [];
  return [
    new SafetyError(`${name} is there and was not made by nx-mooring`, {
      next: `see what would change: ${nxRun('plan', { project, environment: run.environment.name }, `--adopt=${project}`)}; take it over: --adopt=${project}; or another "vmid"`,
    }),
  ];
}

/** Why a change is not made. */
function refusal(
  { project, guest }: AppReady,
  { how, resource, before, after }: GuestChange,
  { allowRestart }: ProvisionFlags,
): MooringError[] {
  const what = `${project}: ${resource}: ${before} -> ${after}`;
  if (how === 'replacement')
    return [
      new SafetyError(`${what} needs another guest in its place, and nx-mooring never replaces one`, {
        next: 'take the setting back, or move the application to a new guest with another vmid and ip',
      }),
    ];
  if (how === 'root')
    return [
      new InputError(`${what} can be set by root@pam only, not by a token`, {
        next: `on the node: pct set ${guest.vmid} --features '${after}'`,
      }),
    ];
  if (how === 'restart' && !allowRestart)
    return [
      new SafetyError(`${what} needs a restart of the guest`, { next: '--allow-restart, when the application may be away for a moment' }),
    ];
  return [];
}

function storageOf({ config }: Guest): string | undefined {
  return parseProperties(ROOTFS, config.options.rootfs ?? '').volume?.split(':')[0];
}
