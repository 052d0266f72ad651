import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandResult, read } from '../../engine/command.ts';
import { HostError, InputError, SafetyError } from '../../engine/errors.ts';
import type { FoundGuest } from '../../engine/guest-platform.ts';
import { fingerprint } from '../../engine/host-key.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { stopped } from '../../engine/stopped.ts';
import type { OpenHost } from '../../engine/transport.ts';
import type { AppInvocation } from './run.ts';
import type { PreparedApp } from './target.ts';

/** What may be done to reach a guest, and for how long. */
export type ReachOptions = { readonly acceptHostKey: boolean; readonly timeoutMs: number };

const PAUSE_MS = 1000;

/**
 * Waits until the guest can be reached by SSH, and proves that it is the guest: the MAC behind its address is its own, wherever a host in
 * its network can be asked, and its host key is the known one. A key is recorded on first sight only, only after that proof, and only
 * where it was asked for.
 *
 * @throws SafetyError when another machine has the address, or it is not proved that none has; HostError when it does not come up
 */
export async function reach(run: AppInvocation, target: PreparedApp, guest: FoundGuest, options: ReachOptions): Promise<OpenHost> {
  const end = performance.now() + options.timeoutMs;
  const known = await run.world.knowsHostKey(target.address, run.knownHosts);
  const proved = await proveAddress(run, target, guest, end);
  if (!known) {
    if (!options.acceptHostKey) throw unknownKey(run, target);
    if (!proved) throw notProved(run, target);
    await recordKey(run, target, guest, end);
  }
  return open(run, target, end);
}

/** Whether the MAC behind the address is the guest's own. False where nobody is in its network to ask. */
async function proveAddress(run: AppInvocation, target: PreparedApp, guest: FoundGuest, end: number): Promise<boolean> {
  const hwaddr = guest.mac();
  if (hwaddr === undefined)
    throw new InputError(`guest ${target.wanted.vmid} has no MAC address in its configuration`, {
      host: run.platform.name,
      page: 'guests',
    });
  for (;;) {
    const neighbour = await run.platform.neighbour(target.address);
    if ('error' in neighbour || !neighbour.onLink) return false;
    const { mac, host } = neighbour;
    if (mac?.toUpperCase() === hwaddr.toUpperCase()) return true;
    if (mac !== undefined || neighbour.own) throw notItsOwn(target, hwaddr, mac ?? `${host} itself`, host);
    await pause(run, end, () => notUp(target, `nobody answers ARP for it, asked from ${host}`));
  }
}

async function recordKey(run: AppInvocation, target: PreparedApp, guest: FoundGuest, end: number): Promise<void> {
  const { address, project } = target;
  const probe = await run.probe();
  for (;;) {
    const [result] = await probe.run([read(['ssh-keyscan', '-T', '5', '-t', 'ed25519', address], { timeoutMs: 20_000 })]);
    const key = offeredKey(result as CommandResult, address);
    if (key !== undefined) {
      // Asked once more: who has answered in between must be the guest as well.
      if (!(await proveAddress(run, target, guest, end))) throw notProved(run, target);
      await mkdir(dirname(run.knownHosts), { recursive: true });
      await appendFile(run.knownHosts, `${address} ssh-ed25519 ${key}\n`);
      run.progress(`${project}: host key of ${address} recorded on first sight: ${fingerprint(Buffer.from(key, 'base64'))}`);
      return;
    }
    await pause(run, end, () => notUp(target, 'sshd does not answer'));
  }
}

/** The key that `ssh-keyscan` prints; nothing while there is no sshd. */
function offeredKey({ stdout }: CommandResult, address: string): string | undefined {
  const line = stdout.split('\n').find((one) => one.startsWith(`${address} ssh-ed25519 `));
  return /^\S+ ssh-ed25519 ([A-Za-z0-9+/]+=*)$/.exec(line ?? '')?.[1];
}

async function open(run: AppInvocation, target: PreparedApp, end: number): Promise<OpenHost> {
  for (;;) {
    try {
      return await run.guest(target);
    } catch (error) {
      if (!isNotUpYet(error)) throw error;
      await pause(run, end, () => error as HostError);
    }
  }
}

/** A connection that nobody took is one of a guest that is starting; one that was refused by a key or a user is not. */
function isNotUpYet(error: unknown): boolean {
  if (!(error instanceof HostError)) return false;
  const { level, code } = (error.cause ?? {}) as { level?: string; code?: string };
  return (
    level === 'client-timeout' ||
    level === 'client-socket' ||
    ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ETIMEDOUT'].includes(code ?? '')
  );
}

async function pause(run: AppInvocation, end: number, why: () => HostError): Promise<void> {
  if (run.signal.aborted) throw stopped(run.signal);
  if (performance.now() > end) throw why();
  await sleep(PAUSE_MS);
}

function notUp({ address, guest }: PreparedApp, why: string): HostError {
  return new HostError(`${guest.name} (${address}) did not come up: ${why}`, {
    page: 'guests',
    instance: guest.name,
    next: `look into it: pct enter ${guest.vmid} (on the node); then the same command again, or a longer --timeout`,
  });
}

function notItsOwn({ address, guest: { name, vmid } }: PreparedApp, own: string, found: string, host: string): SafetyError {
  return new SafetyError(
    `${address} is not ${name}: ${found} answers for it (ARP, asked from ${host}), and guest ${vmid} has ${own}. Nothing was sent there.`,
    { instance: name, page: 'guests', next: 'find that machine and give one of the two another address' },
  );
}

function unknownKey(run: AppInvocation, { address, guest, project, environment }: PreparedApp): SafetyError {
  return new SafetyError(`the host key of ${guest.name} (${address}) is not known: ${run.knownHosts} has none`, {
    page: 'guests',
    instance: guest.name,
    next: `record it on first sight, once its address is proved to be its own: ${nxRun('provision', { project, environment: environment.name }, '--accept-host-key')}`,
  });
}

function notProved(run: AppInvocation, { address, guest }: PreparedApp): SafetyError {
  return new SafetyError(`it cannot be proved that ${address} leads to ${guest.name}: no host in its network could be asked for its MAC`, {
    page: 'guests',
    instance: guest.name,
    next: `name one: "probe" in "proxmox" of ${run.environment.name}.json; or compare by hand (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub in the guest), then: ssh-keyscan -t ed25519 ${address} >> ${run.knownHosts}`,
  });
}
