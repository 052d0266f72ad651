import type { WantedGuest } from '../../engine/guest-platform.ts';
import { joinSecret } from '../../engine/secret.ts';
import type { Params } from './params.ts';
import { featuresOf, interfaceOf, withOwner } from './wanted.ts';

/** What a guest gets at its creation where nothing is described. */
export const AT_CREATION = {
  cores: 1,
  memory: 1024,
  swap: 512,
  disk: 8,
  bridge: 'vmbr0',
  features: { nesting: true },
  onBoot: true,
} as const;

/** What creating needs beyond the description: it is looked up before. */
export type Created = {
  readonly storage: string;
  readonly bridge: string;
  /** Volume of the template. */
  readonly template: string;
  /** Who may log in as root. */
  readonly publicKeys: readonly string[];
};

/** The parameters of `POST /nodes/<node>/lxc`. It is not started by it: starting is a step of its own, that can fail on its own. Pure. */
export function createParams(wanted: WantedGuest, { storage, bridge, template, publicKeys }: Created): Params {
  return {
    vmid: wanted.vmid,
    hostname: wanted.name,
    ostemplate: template,
    unprivileged: true,
    rootfs: `${storage}:${wanted.disk ?? AT_CREATION.disk}`,
    net0: interfaceOf(wanted, bridge),
    cores: wanted.cores ?? AT_CREATION.cores,
    memory: wanted.memory ?? AT_CREATION.memory,
    swap: wanted.swap ?? AT_CREATION.swap,
    features: featuresOf(wanted.features ?? AT_CREATION.features) || undefined,
    onboot: wanted.onBoot ?? AT_CREATION.onBoot,
    nameserver: wanted.nameserver?.join(' '),
    tags: wanted.tags?.join(';'),
    description: withOwner(undefined, wanted.owner),
    'ssh-public-keys': publicKeys.join('\n'),
    password: wanted.password && joinSecret([wanted.password]),
  };
}
