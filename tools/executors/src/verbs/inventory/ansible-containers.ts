import { findInstance, type InstanceFacts } from '../../engine/instance.ts';
import { INSTANCES } from '../../shared/backends.ts';
import type { NamedEnvironment } from '../../workspace/environment.ts';
import type { ContainerInEnvironment } from '../../workspace/target.ts';

/**
 * A dynamic inventory for Ansible (its "script" form: `_meta.hostvars` and groups), with the connection plugin
 * `community.general.incus`. Absent containers are left out.
 *
 * @param incusOf what is known of the Incus that a container is on
 */
export function inventoryOf<T extends ContainerInEnvironment>(
  environment: NamedEnvironment,
  targets: readonly T[],
  incusOf: (target: T) => InstanceFacts,
): Record<string, unknown> {
  const present = targets.flatMap((target) => {
    const incus = incusOf(target);
    const instance = findInstance(incus, { instance: target.instance, project: target.incus.project });
    const { network } = environment;
    return instance === undefined ? [] : [{ target, address: INSTANCES.addressOf(instance, network, INSTANCES.subnetsOf(incus, network)) }];
  });
  const hostvars = Object.fromEntries(
    present.map(({ target, address }) => [
      target.instance,
      {
        ansible_connection: 'community.general.incus',
        ansible_incus_host: target.instance,
        ansible_incus_project: target.incus.project,
        mooring_host: target.host,
        mooring_service: target.service.name,
        mooring_environment: environment.name,
        ...(address === undefined ? {} : { mooring_address: address }),
      },
    ]),
  );
  const services = [...new Set(present.map(({ target }) => target.service.name))];
  const groups = Object.fromEntries(
    services.map((service) => [
      service,
      { hosts: present.filter(({ target }) => target.service.name === service).map(({ target }) => target.instance) },
    ]),
  );
  return { _meta: { hostvars }, all: { children: ['data'] }, data: { children: services }, ...groups };
}
