import type { EnvironmentOptions } from './options.ts';

/**
 * What a deploy to a new environment will ask for, with the commands that bring it.
 *
 * @param file the environment's, relative to the workspace
 * @param storage the project that has `preflight`; nothing where there is none
 */
export function nextSteps(options: EnvironmentOptions, file: string, storage: string | undefined): string[] {
  const { on, name } = options;
  return [
    ...(on === 'proxmox' ? [] : forContainers(options, storage)),
    ...(on === 'incus' ? [] : forGuests(options, file)),
    `Secrets: in .secrets/${name}.env (chmod 600), or encrypted in the repository: npx nx g nx-mooring:secrets ${name} --action=init`,
  ];
}

function forContainers(
  { name, host = name, project, profiles, image, network }: EnvironmentOptions,
  storage: string | undefined,
): string[] {
  const incus = project === 'default' ? 'incus' : `incus --project ${project}`;
  const used = profiles.length === 0 ? ['default'] : profiles;
  return [
    ...(host === 'local' ? [] : [`SSH: ssh ${host} true   # must work without a question`]),
    ...(project === 'default' ? [] : [`Incus project: incus project create ${project}`]),
    ...used.map((profile) => `Profile, with the root disk and the network card: ${incus} profile show ${profile}`),
    `Image: ${incus} image info ${image}   # or: ${incus} image copy images:debian/12 local: --alias ${image}`,
    `Network: incus network show ${network}`,
    storage === undefined
      ? 'What is missing of it is told by preflight, once there is a storage project: npx nx g nx-mooring:init'
      : `What is missing of it: npx nx run ${storage}:preflight -c ${name}`,
  ];
}

function forGuests({ name, authorizedKeys, ca }: EnvironmentOptions, file: string): string[] {
  return [
    'Proxmox: the role and the token with the smallest rights: docs/proxmox.md. The secret of the token is PROXMOX_TOKEN_SECRET',
    ...(ca === undefined ? [] : [`CA: /etc/pve/pve-root-ca.pem of the node, as ${ca}`]),
    ...(authorizedKeys.length === 0 ? [`Keys: "authorizedKeys" in "proxmox" of ${file}: who may log in to the guests`] : []),
    `An application: npx nx g nx-mooring:app pote --environments=${name}`,
  ];
}
