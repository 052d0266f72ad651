import { FEATURES, MOUNT, NET, ROOTFS } from '../../../tools/executors/src/platforms/proxmox/formats.ts';
import {
  canonical,
  type Properties,
  parseProperties,
  printProperties,
} from '../../../tools/executors/src/platforms/proxmox/property-string.ts';
import type { BackendGuest } from '../backend/backend.ts';
import { ApiFailure, die } from './failure.ts';
import { asksForBridges, bridgePath, mustHave } from './rights.ts';
import { type GuestState, randomMac, type State, type TokenState } from './state.ts';

const ROOT_ONLY = (what: string) => new ApiFailure(403, `Permission check failed (${what} is only allowed for root@pam)`);

const PRIVILEGE: readonly [RegExp, string][] = [
  [/^(cores|cpulimit|cpuunits)$/, 'VM.Config.CPU'],
  [/^(rootfs|mp\d+|unused\d+)$/, 'VM.Config.Disk'],
  [/^(memory|swap)$/, 'VM.Config.Memory'],
  [/^(net\d+|nameserver|searchdomain|hostname)$/, 'VM.Config.Network'],
];

/** Which interfaces, disks and features an option's text names. */
const readNet = (text: string): Properties => parseProperties(NET, text);
const readFeatures = (text: string | undefined): Properties => parseProperties(FEATURES, text ?? '');
export const readMount = (key: string, text: string): Properties => parseProperties(key === 'rootfs' ? ROOTFS : MOUNT, text);

/** Refuses what this token may not set. A token is never root, whoever it belongs to. @throws ApiFailure */
export function checkOptionRights(
  state: State,
  token: TokenState,
  vmid: number,
  options: Readonly<Record<string, string>>,
  keys: readonly string[],
  old?: GuestState,
): void {
  const privileged = (options.unprivileged ?? old?.options.unprivileged ?? (old === undefined ? '1' : '0')) === '0';
  for (const key of keys) {
    const value = options[key];
    if (/^dev\d+$/.test(key)) throw ROOT_ONLY('configuring device passthrough');
    if (key === 'hookscript') throw ROOT_ONLY('changing the hookscript');
    if (key === 'features') {
      const changed = changedFeatures(readFeatures(old?.options.features), readFeatures(value));
      if (privileged && changed.length > 0) throw ROOT_ONLY('changing feature flags for privileged container');
      if (changed.some((one) => one !== 'nesting')) throw ROOT_ONLY('changing feature flags (except nesting)');
      if (changed.length > 0) mustHave(token, `/vms/${vmid}`, ['VM.Allocate']);
      continue;
    }
    const privilege = PRIVILEGE.find(([pattern]) => pattern.test(key))?.[1] ?? 'VM.Config.Options';
    mustHave(token, `/vms/${vmid}`, [privilege]);
    if (value === undefined) continue;
    if (/^(rootfs|mp\d+)$/.test(key) && !isVolume(readMount(key, value).volume)) throw ROOT_ONLY('mount point type bind');
    if (/^net\d+$/.test(key)) checkBridge(state, token, readNet(value), old?.options[key]);
  }
}

function checkBridge(state: State, token: TokenState, net: Properties, before: string | undefined): void {
  const pathOf = ({ bridge, tag }: Properties) => (bridge === undefined ? undefined : bridgePath(state, bridge, tag));
  const path = pathOf(net);
  if (path === undefined || !asksForBridges(state) || (before !== undefined && pathOf(readNet(before)) === path)) return;
  mustHave(token, path, ['SDN.Use']);
}

function changedFeatures(old: Properties, now: Properties): string[] {
  const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...keys].filter((key) => (old[key] ?? '0') !== (now[key] ?? '0'));
}

const isVolume = (volume: string | undefined) => volume !== undefined && /^([a-z][\w.-]*:.+|\d+(\.\d+)?)$/i.test(volume);

/** An interface's text as it is stored: in the order of the API, with a MAC drawn if none was given. */
export function storedNet(text: string): string {
  const net = readNet(text);
  return printProperties(NET, canonical(NET, { ...net, hwaddr: (net.hwaddr ?? randomMac()).toUpperCase(), type: net.type ?? 'veth' }));
}

/** A new volume for `STORAGE:GiB`; anything else is kept as it is. */
export function storedVolume(key: string, text: string, vmid: number, taken: readonly string[]): string {
  const mount = readMount(key, text);
  const [, storage, gib] = /^([a-z][\w.-]*):(\d+(?:\.\d+)?)$/i.exec(mount.volume ?? '') ?? [];
  if (storage === undefined) return text;
  let n = 0;
  while (taken.some((one) => one.includes(`subvol-${vmid}-disk-${n}`))) n++;
  const format = key === 'rootfs' ? ROOTFS : MOUNT;
  return printProperties(format, canonical(format, { ...mount, volume: `${storage}:subvol-${vmid}-disk-${n}`, size: `${gib}G` }));
}

/** The storage that a disk's text names. */
export function storageOf(key: string, text: string): string | undefined {
  return /^([a-z][\w.-]*):/i.exec(readMount(key, text).volume ?? '')?.[1];
}

/** What the backend has to know of a guest, from its main section. */
export function toBackend({ vmid, options }: GuestState): BackendGuest {
  const nets = Object.keys(options)
    .filter((key) => /^net\d+$/.test(key))
    .map((key) => readNet(options[key] ?? ''));
  return {
    vmid,
    hostname: options.hostname ?? `CT${vmid}`,
    interfaces: nets.map(({ name = '', bridge, hwaddr = '', ip = 'manual', gw }) => ({
      name,
      bridge: bridge ?? die(`net interface ${name} has no bridge`),
      hwaddr,
      ip,
      gw,
    })),
    nameservers: (options.nameserver ?? '').split(/[\s,;]+/).filter((one) => one !== ''),
    memoryMiB: Number(options.memory ?? 512),
    cores: options.cores === undefined ? undefined : Number(options.cores),
    nesting: readFeatures(options.features).nesting === '1',
    unprivileged: options.unprivileged === '1',
  };
}
