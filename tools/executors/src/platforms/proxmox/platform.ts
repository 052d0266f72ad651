import type { FoundGuest, OpenGuestPlatform, WantedGuest } from '../../engine/guest-platform.ts';
import { openProxmox } from './client.ts';
import { lookAtCluster, neighbourFrom } from './cluster-look.ts';
import { type Guest, readGuest } from './config.ts';
import { NET } from './formats.ts';
import { parseProperties } from './property-string.ts';
import { applyProvision } from './provision.ts';
import { planProvision } from './provision-plan.ts';
import type { ProxmoxRun } from './proxmox-run.ts';
import { planGuest } from './reconcile.ts';
import { wholeIfCreating } from './settle.ts';
import { ownerOf } from './wanted.ts';

/** Guests on a Proxmox VE, by its API. */
export const openProxmoxGuests: OpenGuestPlatform = (site, { signal, progress }) => {
  const client = openProxmox(site, { signal, waiting: (why) => progress(`waiting: ${why}`) });
  const run: ProxmoxRun = { client, site, signal, progress };
  const cluster = lookAtCluster(run);
  return {
    name: client.name,
    async find(wanted) {
      const guest = await readGuest(client, wanted);
      return guest && found(wanted, guest);
    },
    wholeIfCreating: (guest) => wholeIfCreating(run, guest),
    async plan(described, flags) {
      const { guest, creation, ...plan } = await planProvision(run, cluster, described, flags);
      return {
        ...plan,
        apply: async () => found(described.wanted, await applyProvision(run, described, { ...plan, guest, creation })),
      };
    },
    neighbour: (address) => neighbourFrom(run, address),
    close: () => client.close(),
  };
};

function found(wanted: WantedGuest, guest: Guest): FoundGuest {
  return {
    state: guest.status.status,
    owner: ownerOf(guest.config.options.description),
    mac: () => parseProperties(NET, guest.current.options.net0 ?? '').hwaddr,
    drift: () => planGuest(wanted, guest).changes,
  };
}
