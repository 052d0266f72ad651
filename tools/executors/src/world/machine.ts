import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { Machine } from '../shared/world.ts';

/** This process, its user and its machine. By itself: what Nx calls before every command needs no more. */
export const machine: Machine = {
  who: () => ({ user: userInfo().username, machine: hostname() }),
  env: process.env,
  now: () => new Date(),
  seconds: () => performance.now() / 1000,
  random: randomBytes,
};
