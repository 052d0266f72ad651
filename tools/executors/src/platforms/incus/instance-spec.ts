import { type Command, script } from '../../engine/command.ts';
import type { Instance } from '../../engine/instance.ts';
import type { InstanceSpec } from '../../engine/instance-platform.ts';
import { FORMAT } from '../../engine/version.ts';
import { INCUS } from './command.ts';
import { mark } from './marks.ts';

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
