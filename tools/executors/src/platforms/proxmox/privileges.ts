import { z } from 'zod';
import { yes } from './answer.ts';
import type { Proxmox } from './client.ts';

/** Path -> privilege -> whether it holds below that path too. Paths where the token may do nothing are not in it. */
export type Permissions = Readonly<Record<string, Readonly<Record<string, boolean>>>>;

const permissions = z.record(z.string(), z.record(z.string(), yes));

/** What the token may do. */
export async function readPermissions(proxmox: Proxmox): Promise<Permissions> {
  return proxmox.get(['access', 'permissions'], permissions);
}

/** These are always answered for: one that is not in the answer has no rights, whatever is above it. */
const ALWAYS_TOLD = ['/', '/access', '/access/groups', '/nodes', '/pool', '/sdn', '/storage', '/vms'];

/** Privileges that hold on a path: those given there, else those inherited from the nearest path above it. Pure. */
export function privilegesOn(given: Permissions, path: string): Set<string> {
  const own = given[path];
  if (own !== undefined) return new Set(Object.keys(own));
  for (let at = path; at !== '/'; ) {
    if (ALWAYS_TOLD.includes(at)) return new Set();
    at = at.slice(0, at.lastIndexOf('/')) || '/';
    const above = given[at];
    if (above !== undefined) return new Set(Object.keys(above).filter((privilege) => above[privilege]));
  }
  return new Set();
}
