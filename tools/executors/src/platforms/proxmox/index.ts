/* The Proxmox API, as the verbs see it. */

export * from './addresses.ts';
export * from './bridge.ts';
export * from './client.ts';
export * from './cluster.ts';
export * from './config.ts';
export * from './errors.ts';
export * from './formats.ts';
export * from './node.ts';
export type { Params } from './params.ts';
export * from './permissions.ts';
export * from './privileges.ts';
export * from './property-string.ts';
export * from './task.ts';
