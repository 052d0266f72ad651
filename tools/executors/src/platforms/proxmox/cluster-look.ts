import type { CommandResult } from '../../engine/command.ts';
import { MooringError } from '../../engine/errors.ts';
import type { DescribedGuest, NeighbourAnswer, Verdict } from '../../engine/guest-platform.ts';
import { type Addresses, gatherAddresses } from './addresses.ts';
import type { Bridge, BridgeQuestions } from './bridge.ts';
import { type ListedGuest, listGuests, listNodes } from './cluster.ts';
import { type GuardFacts, judgeAddress } from './guard.ts';
import { neighbourOf } from './neighbour.ts';
import { listBridges, listVnets, majorVersion } from './node.ts';
import { seesAllGuests } from './permissions.ts';
import { type Permissions, readPermissions } from './privileges.ts';
import type { ProxmoxRun } from './proxmox-run.ts';

/** What is looked up once for all guests of a run. */
export type ClusterLook = {
  permissions(): Promise<Permissions>;
  guests(): Promise<readonly ListedGuest[]>;
  /** What is known of bridges; the node is the environment's. */
  readonly network: BridgeQuestions;
  /** Whether the address of a guest may be given to it. */
  judge(guest: DescribedGuest): Promise<Verdict>;
};

/** Makes it. Nothing is asked yet. */
export function lookAtCluster(run: ProxmoxRun): ClusterLook {
  const { client, site } = run;
  const permissions = once<Permissions>(() => readPermissions(client));
  const guests = once<readonly ListedGuest[]>(() => listGuests(client));
  const addresses = once<Addresses>(async () => gatherAddresses(client, await guests(), await listNodes(client)));
  return {
    permissions,
    guests,
    network: {
      bridges: once<readonly Bridge[]>(() => listBridges(client, site.node)),
      vnets: once(() => listVnets(client)),
      version: once(() => majorVersion(client)),
    },
    async judge({ address, wanted }) {
      const [given, seen, neighbour] = await Promise.all([permissions(), addresses(), neighbourFrom(run, address)]);
      const facts: GuardFacts = {
        addresses: seen,
        complete: seesAllGuests(given),
        neighbour,
        probeConfigured: site.probe.configured,
        knownElsewhere: site.knownElsewhere,
      };
      return judgeAddress({ address, vmid: wanted.vmid }, facts);
    },
  };
}

/** What the probe host finds out of an address. */
export async function neighbourFrom({ site: { probe } }: ProxmoxRun, address: string): Promise<NeighbourAnswer> {
  const { host } = probe;
  const fact = neighbourOf(address);
  try {
    const [result] = await (await probe.open()).run([fact.command]);
    return { host, ...fact.parse(result as CommandResult) };
  } catch (error) {
    if (!(error instanceof MooringError)) throw error;
    const { stderr } = error.detail;
    return { host, error: stderr ? `${error.message}: ${stderr}` : error.message };
  }
}

/** What is asked at the first call, and is the same for every later one. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
