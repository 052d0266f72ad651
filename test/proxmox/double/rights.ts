import { forbidden } from './failure.ts';
import type { State, TokenState } from './state.ts';

const DEFAULT_PATHS = ['/', '/access', '/access/groups', '/nodes', '/pool', '/sdn', '/storage', '/vms'];

/** What a token may do on a path: what is given there, or on the nearest path above it. */
function privileges(token: TokenState, path: string): string[] {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    const given = token.acl[at];
    if (given !== undefined) return given;
    if (at === '/') return [];
  }
}

export function may(token: TokenState, path: string, wanted: readonly string[], any = false): boolean {
  const has = privileges(token, path);
  return any ? wanted.some((one) => has.includes(one)) : wanted.every((one) => has.includes(one));
}

/** @throws ApiFailure 403 in the API's words */
export function mustHave(token: TokenState, path: string, wanted: readonly string[], any = false): void {
  if (!may(token, path, wanted, any)) throw forbidden(path, wanted);
}

/** Where the right to use a bridge or a virtual network is looked for, or the right to use a VLAN in it. */
export function bridgePath({ vnets }: State, bridge: string, tag?: string): string {
  const zone = vnets.find(({ vnet }) => vnet === bridge)?.zone ?? 'localnetwork';
  return `/sdn/zones/${zone}/${bridge}${tag === undefined ? '' : `/${tag}`}`;
}

/** SDN.Use came with Proxmox VE 8. */
export const asksForBridges = ({ version }: State) => Number.parseInt(version, 10) >= 8;

/** The answer to GET /access/permissions: paths where the token may do nothing are not in it. */
export function permissions(state: State, token: TokenState): Record<string, Record<string, number>> {
  const paths = new Set([...DEFAULT_PATHS, ...Object.values(state.tokens).flatMap(({ acl }) => Object.keys(acl))]);
  return Object.fromEntries(
    [...paths]
      .map((path) => [path, Object.fromEntries(privileges(token, path).map((one) => [one, 1]))] as const)
      .filter(([, given]) => Object.keys(given).length > 0),
  );
}
