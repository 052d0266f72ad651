import { type Permissions, privilegesOn } from './privileges.ts';

/** A bridge of a node that the token may see. Virtual networks (VNets of SDN) are listed among them, without their zone. */
export type Bridge = { readonly name: string; readonly vnet: boolean };

/** What an interface is connected to: a bridge or VNet, and the VLAN in it. */
export type Connected = { readonly bridge: string; readonly tag?: string | undefined };

/** What has to be known of it. Each is asked only where it decides. */
export type BridgeQuestions = {
  /** The node's bridges. */
  bridges(): Promise<readonly Bridge[]>;
  /** The zone of each VNet that the token may audit. */
  vnets(): Promise<Readonly<Record<string, string>>>;
  /** Major version of Proxmox VE. */
  version(): Promise<number>;
};

/** Where the right to use a bridge is looked for. `sure`: it is known what it is; else a bridge of the node is taken for granted. */
export type BridgeRight = { readonly path: string; readonly sure: boolean };

const LOCAL = 'localnetwork';
/** Proxmox VE 7 asks for no right on a bridge, and knows no privilege of that name. */
const FIRST_WITH_RIGHTS = 8;

/**
 * The right that a guest on this bridge needs: nothing where it needs none, or where it is known to be held.
 *
 * @param joining it is connected to the bridge now; Proxmox does not ask again for one that it is connected to
 */
export async function bridgeRight(
  { bridge, tag }: Connected,
  given: Permissions,
  ask: BridgeQuestions,
  joining: boolean,
): Promise<BridgeRight | undefined> {
  const at = (zone: string) => `/sdn/zones/${zone}/${bridge}${tag === undefined ? '' : `/${tag}`}`;
  const local = { path: at(LOCAL), sure: true };
  const held = privilegesOn(given, local.path).has('SDN.Use');
  if (held && !joining) return local;
  const listed = (await ask.bridges()).find(({ name }) => name === bridge);
  if (held && listed?.vnet === false) return local;
  if ((await ask.version()) < FIRST_WITH_RIGHTS) return undefined;
  if (listed?.vnet === false) return local;
  const zone = (await ask.vnets())[bridge] ?? zoneByRights(given, bridge);
  if (zone !== undefined) return { path: at(zone), sure: true };
  // A VNet is listed by SDN.Audit or SDN.Use, and who may audit is told its zone: it is SDN.Use, from above the VNet.
  return listed === undefined ? { ...local, sure: false } : undefined;
}

/** The zone in which the token was given something on this VNet, or on a VLAN in it: no two zones have a VNet of one name. */
function zoneByRights(given: Permissions, vnet: string): string | undefined {
  const zones = Object.keys(given).flatMap((path) => {
    const [, , zones, zone, name] = path.split('/');
    return zones === 'zones' && name === vnet && zone !== undefined && zone !== LOCAL ? [zone] : [];
  });
  return zones[0];
}
