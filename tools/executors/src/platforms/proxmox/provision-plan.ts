import type { Change } from '../../engine/change.ts';
import { InputError, MooringError, SafetyError } from '../../engine/errors.ts';
import type { DescribedGuest, GuestFlags, ProvisionPlan, Verdict } from '../../engine/guest-platform.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { bridgeRight, type Connected } from './bridge.ts';
import type { ClusterLook } from './cluster-look.ts';
import { type Guest, readGuest } from './config.ts';
import { AT_CREATION, type Created, createParams } from './create.ts';
import { lookForCreation, type Ready } from './creation.ts';
import { NET, ROOTFS } from './formats.ts';
import type { Params } from './params.ts';
import { grantLines, missingRights, neededRights } from './permissions.ts';
import { parseProperties } from './property-string.ts';
import type { ProxmoxRun } from './proxmox-run.ts';
import { type GuestChange, planGuest } from './reconcile.ts';
import { ownerOf } from './wanted.ts';

/** The plan of one guest, and what it is made of. */
export type PlannedGuest = Omit<ProvisionPlan, 'apply'> & {
  /** As it is; nothing where it is absent. */
  readonly guest: Guest | undefined;
  /** For an absent guest: what it is created with, and the template to be had before. */
  readonly creation: { readonly params: Params; readonly download: Ready['download'] } | undefined;
};

/** Looks at one guest and at everything that it needs, and plans. Changes nothing. */
export async function planProvision(
  run: ProxmoxRun,
  cluster: ClusterLook,
  target: DescribedGuest,
  flags: GuestFlags,
): Promise<PlannedGuest> {
  const { wanted } = target;
  const [guest, verdict] = await Promise.all([readGuest(run.client, wanted), cluster.judge(target)]);
  const guarded = guardProblems(run, target, verdict, flags);
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
  const owned = ownership(run, target, guest, flags);
  return {
    guest,
    verdict,
    creation: undefined,
    changes: [...changes, ...starting],
    problems: [...owned, ...guarded, ...rights, ...(owned.length > 0 ? [] : changes.flatMap((change) => refusal(target, change, flags)))],
  };
}

async function absent(
  run: ProxmoxRun,
  cluster: ClusterLook,
  target: DescribedGuest,
  verdict: Verdict,
  guarded: readonly MooringError[],
): Promise<PlannedGuest> {
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

function createOf({ wanted }: DescribedGuest, created: Created | undefined): Change {
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

function startOf({ wanted }: DescribedGuest): Change {
  return { resource: `guest ${wanted.vmid} (${wanted.name})`, action: 'restart', impact: 'none', because: 'it does not run', commands: [] };
}

function guardProblems(
  { site: { environment } }: ProxmoxRun,
  { address, root }: DescribedGuest,
  verdict: Verdict,
  { allowIpConflicts }: GuestFlags,
): MooringError[] {
  if (verdict.state === 'free' || allowIpConflicts) return [];
  const place = `${root}/app.json: environments.${environment}.ip`;
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
  run: ProxmoxRun,
  cluster: ClusterLook,
  { wanted, project }: DescribedGuest,
  places: { storage: string | undefined; connected: Connected; joining: boolean; download?: { storage: string; url: boolean } },
): Promise<MooringError[]> {
  const { tokenId, node } = run.site;
  const { storage = '', connected, joining, download } = places;
  const given = await cluster.permissions();
  const bridge = await bridgeRight(connected, given, cluster.network, joining);
  const needs = neededRights({ node, vmid: wanted.vmid, storage, bridge, download });
  // Which storage it would be is told as a problem of its own.
  const known = needs.filter(({ path }) => path !== '/storage/');
  const missing = missingRights(given, known);
  if (missing.length === 0) return [];
  const lacks = missing.map(({ need, privileges }) => `${privileges.join(', ')} on ${need.path} (${need.why})`);
  return [
    new MooringError(`${project}: the token ${tokenId} lacks ${lacks.join('; ')}`, {
      host: run.client.name,
      next: `as root on a node:\n${grantLines(missing, tokenId).join('\n')}`,
    }),
  ];
}

/** A guest that is not ours is not touched, unless it is to be taken over. */
function ownership(run: ProxmoxRun, target: DescribedGuest, guest: Guest, { adopt }: GuestFlags): MooringError[] {
  const { wanted, project } = target;
  const owner = ownerOf(guest.config.options.description);
  if (owner === wanted.owner) return [];
  const name = `guest ${wanted.vmid} (${guest.config.options.hostname ?? 'without a host name'}) on ${wanted.node}`;
  if (owner !== undefined)
    return [new SafetyError(`${name} belongs to ${owner}, not to ${wanted.owner}`, { next: `another "vmid" in ${target.root}/app.json` })];
  if (adopt) return [];
  return [
    new SafetyError(`${name} exists and was not made by nx-mooring`, {
      next: `see what would change: ${nxRun('plan', { project, environment: run.site.environment }, `--adopt=${project}`)}; take it over: --adopt=${project}; or another "vmid"`,
    }),
  ];
}

/** Why a change is not made. */
function refusal(
  { project, wanted }: DescribedGuest,
  { how, resource, before, after }: GuestChange,
  { allowRestart }: GuestFlags,
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
        next: `on the node: pct set ${wanted.vmid} --features '${after}'`,
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
