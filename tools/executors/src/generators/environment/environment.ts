import type { Tree } from '@nx/devkit';
import { InputError } from '../../engine/errors.ts';
import { environmentSchemaOf } from '../../workspace/environment.ts';
import { mustParse } from '../../workspace/problems.ts';
import { formatJson } from '../shared/format-json.ts';
import type { Done } from '../shared/generator.ts';
import { leftToDo } from '../shared/leftover.ts';
import { filesOf, schemaPath } from '../shared/tree.ts';
import { nextSteps } from './next-steps.ts';
import type { EnvironmentOptions } from './options.ts';

/** Name of the secret that the token's secret is. */
const TOKEN_SECRET = 'PROXMOX_TOKEN_SECRET';

/**
 * Adds `infra/environments/<name>.json`. One that is there is left as it is.
 *
 * @throws InputError, ProblemsError when the options do not make an environment
 */
export function addEnvironment(tree: Tree, options: EnvironmentOptions): Done {
  const { infra, files } = filesOf(tree);
  const folder = `${infra}/environments`;
  const file = `${folder}/${options.name}.json`;
  const finish = () => leftToDo(tree.root);
  if (tree.exists(file)) return { lines: [`${file} is there already: it was left as it is`], finish };
  requireProxmox(options);
  const content = {
    $schema: schemaPath(folder, 'environment'),
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(options.on === 'proxmox' ? {} : ofContainers(options)),
    ...(options.on === 'incus' ? {} : { proxmox: ofGuests(options) }),
  };
  mustParse(environmentSchemaOf(content), content, { file }, `${file} would not be valid`);
  tree.write(file, formatJson(content));
  return { lines: [`${file}: written`, ...nextSteps(options, file, storageProject(tree, files.storages))], finish };
}

function ofContainers({ name, host = name, project, profiles, image, network, prefix = `${name}-` }: EnvironmentOptions) {
  return {
    host,
    incus: { project, profiles: profiles.length === 0 ? ['default'] : profiles, image },
    prefix,
    network,
    retention: 5,
  };
}

function ofGuests({ url, tokenId, fingerprint, ca, authorizedKeys }: EnvironmentOptions) {
  return {
    url,
    tokenId,
    tokenSecret: { secret: TOKEN_SECRET },
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(ca === undefined ? {} : { ca }),
    ...(authorizedKeys.length === 0 ? {} : { authorizedKeys }),
  };
}

/** A schema would name the fields; what is missing is options. */
function requireProxmox({ on, url, tokenId, fingerprint, ca, name }: EnvironmentOptions): void {
  if (on === 'incus') return;
  const missing = [
    ...(url === undefined ? ['--url'] : []),
    ...(tokenId === undefined ? ['--token-id'] : []),
    ...(fingerprint === undefined && ca === undefined ? ['--fingerprint or --ca'] : []),
  ];
  if (missing.length === 0) return;
  throw new InputError(`nx-mooring:environment options: an environment with guests on Proxmox needs ${missing.join(', ')}`, {
    next: `nx g nx-mooring:environment ${name} --on=${on} --url=https://pve.example.org:8006 --token-id='mooring@pve!deploy' --ca=infra/pve-root-ca.pem`,
  });
}

/** The project that has preflight; nothing in a workspace of applications only. */
function storageProject(tree: Tree, [file]: readonly string[]): string | undefined {
  if (file === undefined) return undefined;
  const { name = 'zfs' } = JSON.parse(tree.read(file, 'utf-8') ?? '{}') as { name?: string };
  return name;
}
