import type { CommandResult } from '../../engine/command.ts';
import { MooringError } from '../../engine/errors.ts';
import { type GuardFacts, judgeAddress, type Neighbour, type Verdict } from '../../platforms/proxmox/guard.ts';
import {
  type Addresses,
  type Bridge,
  type BridgeQuestions,
  gatherAddresses,
  type ListedGuest,
  listBridges,
  listGuests,
  listNodes,
  listVnets,
  majorVersion,
  type Permissions,
  readPermissions,
  seesAllGuests,
} from '../../platforms/proxmox/index.ts';
import { neighbourOf } from '../../platforms/proxmox/neighbour.ts';
import { remember } from '../run.ts';
import type { AppReady, AppRun } from './run.ts';

/** What is looked up once for all guests of a run. */
export type Cluster = {
  permissions(): Promise<Permissions>;
  guests(): Promise<readonly ListedGuest[]>;
  /** What is known of bridges; the node is the environment's. */
  readonly network: BridgeQuestions;
  /** Whether the address of a guest may be given to it. */
  judge(target: AppReady): Promise<Verdict>;
};

/** Makes it. Nothing is asked yet. */
export function lookAtCluster(run: AppRun): Cluster {
  const once = new Map<string, Promise<unknown>>();
  const permissions = () => remember(once, 'permissions', () => readPermissions(run.proxmox)) as Promise<Permissions>;
  const guests = () => remember(once, 'guests', () => listGuests(run.proxmox)) as Promise<ListedGuest[]>;
  const addresses = () =>
    remember(once, 'addresses', async () =>
      gatherAddresses(run.proxmox, await guests(), await listNodes(run.proxmox)),
    ) as Promise<Addresses>;
  const { probe, knownElsewhere, node } = run.environment.proxmox;
  return {
    permissions,
    guests,
    network: {
      bridges: () => remember(once, 'bridges', () => listBridges(run.proxmox, node)) as Promise<Bridge[]>,
      vnets: () => remember(once, 'vnets', () => listVnets(run.proxmox)) as Promise<Record<string, string>>,
      version: () => remember(once, 'version', () => majorVersion(run.proxmox)) as Promise<number>,
    },
    async judge(target) {
      const [given, seen, neighbour] = await Promise.all([permissions(), addresses(), neighbourFrom(run, target.address)]);
      const facts: GuardFacts = {
        addresses: seen,
        complete: seesAllGuests(given),
        neighbour,
        probeConfigured: probe !== undefined,
        knownElsewhere,
      };
      return judgeAddress({ address: target.address, vmid: target.guest.vmid }, facts);
    },
  };
}

/** What the probe host finds out of an address. That it cannot be asked is an answer too. */
export async function neighbourFrom(run: AppRun, address: string): Promise<Neighbour | { readonly host: string; readonly error: string }> {
  const host = run.environment.proxmox.probe ?? 'local';
  const fact = neighbourOf(address);
  try {
    const [result] = await (await run.probe()).run([fact.command]);
    return { host, ...fact.parse(result as CommandResult) };
  } catch (error) {
    if (!(error instanceof MooringError)) throw error;
    const { stderr } = error.detail;
    return { host, error: stderr ? `${error.message}: ${stderr}` : error.message };
  }
}
