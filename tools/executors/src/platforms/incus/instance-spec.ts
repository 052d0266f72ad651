import { type Command, script } from '../../engine/command.ts';
import type { Devices, Instance } from '../../engine/instance.ts';
import { FORMAT } from '../../engine/version.ts';
import { INCUS } from './command.ts';
import { mark } from './marks.ts';

/** The instance that should be. */
export type InstanceSpec = {
  readonly instance: string;
  /** Incus project. */
  readonly project: string;
  readonly profiles: readonly string[];
  /** Image alias. */
  readonly image: string;
  /** `limits.*` without the prefix: `{ memory: '1GiB' }`. */
  readonly limits: Readonly<Record<string, string>>;
  readonly devices: Devices;
  /** The environment's Incus network. */
  readonly network: string;
  /** Whether the host can reach what is on it, of whatever kind it is. */
  readonly hostOnNetwork: boolean;
  readonly environment: string;
  /** Name of its Nx project, for messages. */
  readonly container: string;
  /** Service name, for the mark. */
  readonly service: string;
  /** Version of this tool, for the mark. */
  readonly tool: string;
};

/** What the command line allows beyond the usual. */
export type ProvisionOptions = {
  /** `--create=<name>`: create although the name is known from somewhere. */
  readonly create: readonly string[];
  /** `--adopt=<name>`: take over an instance that has no marks of ours. */
  readonly adopt: readonly string[];
  /** A new UUID, for an instance that is created. */
  readonly uuid: string;
  /** How long a start may take, in seconds. */
  readonly startSeconds: number;
};

/** Where else an instance's name is known: preserved states, datasets, the audit log. One phrase each. */
export type KnownElsewhere = readonly string[];

/** Sets keys only if the instance is still the one that was looked at (its UUID): a name may change hands between look and act. */
export function setKeys(spec: InstanceSpec, seen: Instance, values: Readonly<Record<string, string>>): Command {
  return script(
    'write',
    `uuid=$(${INCUS} config get "$1" volatile.uuid --project "$2"); [ "$uuid" = "$3" ] || { echo "the instance has changed hands: its volatile.uuid is $uuid, it was $3" >&2; exit 1; }
name=$1 project=$2; shift 3; exec ${INCUS} config set "$name" --project "$project" -- "$@"`,
    [spec.instance, spec.project, String(seen.config['volatile.uuid']), ...Object.entries(values).map(([key, value]) => `${key}=${value}`)],
  );
}

export function wantedConfig(spec: InstanceSpec): Record<string, string> {
  return {
    'security.protection.delete': 'true',
    ...Object.fromEntries(Object.entries(spec.limits).map(([name, value]) => [`limits.${name}`, value])),
  };
}

export function marks(spec: InstanceSpec, uuid: string): Record<string, string> {
  return {
    [mark.environment]: spec.environment,
    [mark.instance]: spec.instance,
    [mark.service]: spec.service,
    [mark.tool]: spec.tool,
    [mark.format]: String(FORMAT),
    [mark.uuid]: uuid,
  };
}

export function inProject(spec: Pick<InstanceSpec, 'project'>): string[] {
  return ['--project', spec.project];
}
