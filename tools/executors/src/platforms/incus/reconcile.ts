import type { Change } from '../../engine/change.ts';
import { write } from '../../engine/command.ts';
import type { Instance } from '../../engine/instance.ts';
import type { InstanceSpec } from '../../engine/instance-platform.ts';
import { incus } from './command.ts';
import { inProject, setKeys, wantedConfig } from './instance-spec.ts';

export function planConfig(present: Instance, spec: InstanceSpec): Change[] {
  const differing = Object.entries(wantedConfig(spec)).filter(([key, value]) => present.expanded_config[key] !== value);
  if (differing.length === 0) return [];
  const restart = differing.filter(([key]) => !/^(limits\.(cpu|memory|processes|disk)|security\.protection)/.test(key)).map(([key]) => key);
  return [
    {
      resource: `instance ${spec.instance}`,
      action: 'update',
      before: Object.fromEntries(differing.map(([key]) => [key, present.expanded_config[key]])),
      after: Object.fromEntries(differing),
      impact: restart.length > 0 ? 'restart' : 'none',
      because:
        restart.length > 0
          ? `the settings name it; ${restart.join(', ')} takes effect when the instance is next restarted, which is left to you`
          : 'the settings name it',
      commands: [setKeys(spec, present, Object.fromEntries(differing))],
    },
  ];
}

export function planDevices(present: Instance, spec: InstanceSpec): Change[] {
  return Object.entries(spec.devices).flatMap(([name, wanted]): Change[] => {
    const now = present.expanded_devices[name];
    const differing = Object.entries(wanted).filter(([key, value]) => now?.[key] !== value);
    if (differing.length === 0) return [];
    const verb = name in present.devices ? ['set'] : now === undefined ? ['add'] : ['override'];
    const words =
      verb[0] === 'add'
        ? [
            String(wanted.type),
            ...Object.entries(wanted)
              .filter(([key]) => key !== 'type')
              .map(([key, value]) => `${key}=${value}`),
          ]
        : differing.map(([key, value]) => `${key}=${value}`);
    return [
      {
        resource: `device ${name} of ${spec.instance}`,
        action: now === undefined ? 'create' : 'update',
        before: now && Object.fromEntries(differing.map(([key]) => [key, now[key]])),
        after: Object.fromEntries(differing),
        impact: 'none',
        because: 'the settings name it',
        commands: [write(incus('config', 'device', ...verb, spec.instance, name, ...words, ...inProject(spec)))],
      },
    ];
  });
}
