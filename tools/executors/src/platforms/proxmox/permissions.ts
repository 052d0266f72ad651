import type { BridgeRight } from './bridge.ts';
import { type Permissions, privilegesOn } from './privileges.ts';

/** Rights that are needed on a path, and what for. */
export type Need = {
  /** Where they are looked for: `/vms/101`. */
  readonly path: string;
  /** Where they are best granted: `/vms`. */
  readonly grantAt: string;
  /** Name of the role to make for them. */
  readonly role: string;
  readonly privileges: readonly string[];
  readonly why: string;
};

export type Missing = { readonly need: Need; readonly privileges: readonly string[] };

/** What of the needed rights the token does not have. Pure. */
export function missingRights(given: Permissions, needs: readonly Need[]): Missing[] {
  return needs.flatMap((need) => {
    const has = privilegesOn(given, need.path);
    const privileges = need.privileges.filter((privilege) => !has.has(privilege));
    return privileges.length === 0 ? [] : [{ need, privileges }];
  });
}

/** Whether the list of guests that the token is shown has all guests in it. Pure. */
export function seesAllGuests(given: Permissions): boolean {
  return given['/vms']?.['VM.Audit'] === true;
}

/** Rights that are granted where they are looked for. */
function at(path: string, role: string, privileges: readonly string[], why: string): Need {
  return { path, grantAt: path, role, privileges, why };
}

const TO_KEEP_A_GUEST = [
  ...['VM.Allocate', 'VM.Audit', 'VM.Config.CPU', 'VM.Config.Memory', 'VM.Config.Disk', 'VM.Config.Network', 'VM.Config.Options'],
  ...['VM.PowerMgmt', 'VM.Snapshot', 'VM.Snapshot.Rollback'],
];

const TO_DOWNLOAD = ['Datastore.AllocateTemplate', 'Datastore.Audit'];

/** What is needed to make a guest and keep it as it is described. `download`: a template has to be downloaded into that storage. */
export function neededRights({
  node,
  vmid,
  storage,
  bridge,
  download,
}: {
  node: string;
  vmid: number;
  storage: string;
  bridge: BridgeRight | undefined;
  download?: { storage: string; url: boolean } | undefined;
}): Need[] {
  const inItsZone = bridge?.sure ? '' : '; if that is a VNet, in its own zone';
  return [
    { ...at(`/vms/${vmid}`, 'MooringGuests', TO_KEEP_A_GUEST, 'to create the guest, change it and start it'), grantAt: '/vms' },
    at('/vms', 'MooringGuests', ['VM.Audit'], "to see every guest's addresses"),
    at(`/storage/${storage}`, 'MooringStorage', ['Datastore.AllocateSpace', 'Datastore.Audit'], 'to make its disk'),
    ...(bridge === undefined ? [] : [at(bridge.path, 'MooringBridge', ['SDN.Use'], `to connect it to the bridge${inItsZone}`)]),
    ...(download === undefined ? [] : [at(`/storage/${download.storage}`, 'MooringTemplates', TO_DOWNLOAD, 'to download the template')]),
    ...(download?.url ? [at(`/nodes/${node}`, 'MooringDownload', ['Sys.AccessNetwork'], 'to download a template from a URL')] : []),
  ];
}

/**
 * The lines that grant what is missing, for root on a node. A token with privilege separation has only what both it and its user have, so
 * both are granted. The role gets all that is needed, not only what is missing: it may be there from before. Pure.
 */
export function grantLines(missing: readonly Missing[], tokenId: string): string[] {
  const user = tokenId.slice(0, tokenId.indexOf('!'));
  const roles = new Map<string, Set<string>>();
  for (const { need } of missing) roles.set(need.role, new Set([...(roles.get(need.role) ?? []), ...need.privileges]));
  const grants = missing.flatMap(({ need: { grantAt, role } }) => [
    `pveum acl modify ${grantAt} --users '${user}' --roles ${role}`,
    `pveum acl modify ${grantAt} --tokens '${tokenId}' --roles ${role}`,
  ]);
  return [
    ...[...roles].map(([role, all]) => {
      const privileges = `${role} --privs '${[...all].join(',')}'`;
      return `pveum role add ${privileges} || pveum role modify ${privileges} --append 1`;
    }),
    ...new Set(grants),
  ];
}
