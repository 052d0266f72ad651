import type { Tree } from '@nx/devkit';
import { InputError } from '../../engine/errors.ts';
import { secretNames } from '../../engine/secret-reference.ts';
import { appSchema } from '../../workspace/app.ts';
import { environmentName } from '../../workspace/files.ts';
import { mustParse } from '../../workspace/problems.ts';
import { unknownEnvironment } from '../../workspace/unknown.ts';
import { formatJson } from '../shared/format-json.ts';
import type { Done } from '../shared/generator.ts';
import { leftToDo } from '../shared/leftover.ts';
import { howToGiveValues } from '../shared/secret-values.ts';
import { filesOf, schemaPath } from '../shared/tree.ts';
import type { AppOptions } from './options.ts';

/**
 * Adds `infra/apps/<name>/app.json`. One that is there is left as it is.
 *
 * @throws InputError, ProblemsError when the options do not make an application
 */
export function addApp(tree: Tree, options: AppOptions): Done {
  const { infra, files } = filesOf(tree);
  const folder = `${infra}/apps/${options.name}`;
  const file = `${folder}/app.json`;
  const finish = () => leftToDo(tree.root);
  if (tree.exists(file)) return { lines: [`${file} is there already: it was left as it is`], finish };
  const environments = environmentsOf(tree, options, files.environments);
  const content = {
    $schema: schemaPath(folder, 'app'),
    description: options.description ?? `${options.name}: an application on ${options.kind === 'node' ? 'Node' : 'Python'}`,
    kind: options.kind,
    repository: options.repository,
    ...(options.kind === 'node' ? { node: nodePart(options) } : { python: pythonPart(options) }),
    ...(options.needs.length === 0 ? {} : { needs: options.needs }),
    ...overSsh(options),
    environments: guests(options, environments),
  };
  mustParse(appSchema, content, { file }, `${file} would not be valid`);
  tree.write(file, formatJson(content));
  const values = environments.flatMap((environment) => howToGiveValues(tree, infra, environment, secretNames(content)));
  return { lines: [`${file}: written`, ...nextSteps(options, file, environments), ...values], finish };
}

function nodePart({ frontend }: AppOptions) {
  const part = { start: ['node', 'server.js'] };
  return { backend: part, ...(frontend ? { frontend: part } : {}) };
}

function pythonPart({ name, frontend }: AppOptions) {
  const start = ['python', '-m', name.replaceAll('-', '_')];
  return { start, ...(frontend ? { frontend: { folder: 'frontend', start: ['python', '-m', 'frontend'] } } : {}) };
}

function overSsh({ repository, gitHostKeys }: AppOptions) {
  if (repository.startsWith('https://')) return {};
  return { deployKey: { secret: 'GIT_DEPLOY_KEY' }, ...(gitHostKeys.length === 0 ? {} : { gitHostKeys }) };
}

/** Those that are named, else those that have guests. */
function environmentsOf(tree: Tree, { environments }: AppOptions, files: readonly string[]): readonly string[] {
  const known = files.map(environmentName);
  for (const name of environments) if (!known.includes(name)) throw unknownEnvironment(name, known);
  const withGuests = files.filter((file) => hasGuests(tree, file)).map(environmentName);
  const without = environments.find((name) => !withGuests.includes(name));
  if (without !== undefined || withGuests.length === 0)
    throw new InputError(
      `${without ?? 'no environment'} has ${without === undefined ? '' : 'no '}"proxmox": there is nowhere for a guest`,
      {
        next: `nx g nx-mooring:environment ${without === undefined ? 'dev --on=proxmox' : '<another> --on=proxmox'}, or write "proxmox" into its file`,
      },
    );
  return environments.length === 0 ? withGuests : environments;
}

function hasGuests(tree: Tree, file: string): boolean {
  try {
    return JSON.parse(tree.read(file, 'utf-8') ?? '').proxmox !== undefined;
  } catch {
    return false;
  }
}

/** A guest in each environment. @throws InputError unless each has a number, an address and a gateway */
function guests({ name, vmid, ip, gateway, branch }: AppOptions, environments: readonly string[]): Record<string, object> {
  const gateways = gateway.length === 1 ? environments.map(() => gateway[0]) : gateway;
  for (const [option, values, example] of [
    ['vmid', vmid, '201,211'],
    ['ip', ip, '10.20.0.101/24,10.20.0.111/24'],
    ['gateway', gateways, '10.20.0.1'],
  ] as const) {
    if (values.length !== environments.length)
      throw new InputError(
        `nx-mooring:app options: ${option}: found ${values.length} values; expected ${environments.length}, for ${environments.join(', ')} in this order`,
        { next: `for example --${option}=${example}` },
      );
  }
  return Object.fromEntries(
    environments.map((environment, i) => [
      environment,
      { name: `${name}-${environment}`, vmid: Number(vmid[i]), ip: ip[i], gateway: gateways[i], branch },
    ]),
  );
}

function nextSteps({ name, kind }: AppOptions, file: string, environments: readonly string[]): string[] {
  const [first = 'dev'] = environments;
  return [
    `${file}: "start" is what ${kind === 'node' ? 'the unit runs in the folder backend/' : 'the unit runs'}; migrations, jobs, a database: docs/apps.md`,
    `What would be done: npx nx run ${name}:plan -c ${first}`,
  ];
}
