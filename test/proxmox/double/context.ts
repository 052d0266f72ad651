import type { GuestBackend } from '../backend/backend.ts';
import { die } from './failure.ts';
import type { GuestState, Store, TokenState } from './state.ts';
import type { Locks, Tasks } from './tasks.ts';

/** What a call's handler works with. */
export type Context = {
  readonly store: Store;
  readonly tasks: Tasks;
  readonly locks: Locks;
  readonly backend: GuestBackend;
  readonly token: TokenState;
  /** As tasks name it: the token's id. */
  readonly user: string;
  /** Of path, query and body; checked by the schema. */
  readonly params: Readonly<Record<string, string>>;
};

export type Handler = (context: Context) => unknown;

export const vmidOf = ({ params }: Context) => Number(params.vmid);

/** The guest that the path names. @throws ApiFailure 500: there is no 404 */
export function guestOf(context: Context, type: 'lxc' | 'qemu' = 'lxc'): GuestState {
  const { vmid = '', node = '' } = context.params;
  const folder = type === 'lxc' ? 'lxc' : 'qemu-server';
  return context.store.guest(Number(vmid), type, node) ?? die(`Configuration file 'nodes/${node}/${folder}/${vmid}.conf' does not exist`);
}

/** @throws ApiFailure when something holds the guest */
export function checkLock({ type, options }: GuestState): void {
  if (options.lock !== undefined) die(`${type === 'lxc' ? 'CT' : 'VM'} is locked (${options.lock})`);
}
