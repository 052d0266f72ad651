import { join } from 'node:path';
import { parseInterface } from '../../engine/ip.ts';
import type { AppInEnvironment } from '../../workspace/app-target.ts';
import { knownHostsFile } from '../../workspace/proxmox.ts';

/**
 * Guests as a dynamic inventory for Ansible (its "script" form), with the groups `app_all`, `app_<project>_all` and
 * `app_<project>_<environment>`. Ansible takes no hyphens in the names of groups. Secrets are not in it.
 */
export function appInventoryOf(
  targets: readonly AppInEnvironment[],
  { root, infra }: { root: string; infra: string },
): Record<string, unknown> {
  const nameOf = naming(targets);
  const hostvars = Object.fromEntries(targets.map((target) => [nameOf(target), variables(target, root, infra)]));
  const projects = [...new Set(targets.map(({ project }) => project))].sort();
  const ofProject = (project: string) => targets.filter((target) => target.project === project);
  const environments = (project: string) => ofProject(project).map(({ environment }) => group(project, environment.name));
  return {
    _meta: { hostvars },
    all: { children: ['app_all'] },
    app_all: { children: projects.map((project) => group(project, 'all')) },
    ...Object.fromEntries(projects.map((project) => [group(project, 'all'), { children: environments(project) }])),
    ...Object.fromEntries(targets.map((target) => [group(target.project, target.environment.name), { hosts: [nameOf(target)] }])),
  };
}

/** Guests of two Proxmox installations may have one host name: then the environment tells them apart. */
function naming(targets: readonly AppInEnvironment[]): (target: AppInEnvironment) => string {
  const names = targets.map(({ guest }) => guest.name);
  return ({ guest: { name }, environment }) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${name}.${environment.name}`);
}

function group(project: string, environment: string): string {
  return `app_${project}_${environment}`.replaceAll('-', '_');
}

function variables({ project, guest, environment, settings }: AppInEnvironment, root: string, infra: string): Record<string, unknown> {
  const { proxmox, name } = environment;
  const knownHosts = join(root, knownHostsFile(infra, environment));
  const plain = Object.entries(guest.envVars).filter(([, value]) => typeof value === 'string');
  return {
    ansible_host: parseInterface(guest.ip).address,
    ansible_user: proxmox.user,
    ansible_ssh_common_args: `-o UserKnownHostsFile='${knownHosts}' -o StrictHostKeyChecking=yes`,
    app_name: project,
    app_environment: name,
    app_kind: settings.kind,
    app_repository: settings.repository,
    app_branch: guest.branch,
    app_backend_port: settings.ports.backend,
    app_frontend_port: settings.ports.frontend,
    app_env_vars: Object.fromEntries(plain),
    proxmox_vmid: guest.vmid,
    proxmox_node: proxmox.node,
    proxmox_api_url: proxmox.url,
  };
}
