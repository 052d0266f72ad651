import { type NxJsonConfiguration, readNxJson, type Tree } from '@nx/devkit';
import { InputError } from '../../engine/errors.ts';
import { HOST_PART } from '../../engine/names.ts';
import { environmentSchema } from '../../workspace/environment.ts';
import { DEFAULT_INFRA, infraOf } from '../../workspace/files.ts';
import { mustParse } from '../../workspace/problems.ts';
import { formatJson } from '../shared/format-json.ts';
import { addJson, appendLines, filesOf, schemaPath } from '../shared/tree.ts';
import type { InitOptions } from './options.ts';

const PLUGINS = ['nx-mooring', 'nx-mooring/plugin'];
const SECRETS = ['.secrets/*', '!.secrets/example.env'];
/** The names of the secrets, for those who have to write the values. */
export const SECRET_NAMES = '.secrets/example.env';

/**
 * Makes a workspace ready: the plugin in nx.json, what git must not see, names of the secrets, the environment `local` where there
 * is none, the storage project where there is none. Nothing that is there is changed.
 *
 * @throws InputError when nx.json names another infra folder than the options
 */
export function initialise(tree: Tree, options: InitOptions): readonly string[] {
  register(tree, options.infra);
  ignore(tree);
  if (!tree.exists(SECRET_NAMES)) {
    appendLines(tree, SECRET_NAMES, [
      '# The names of the secrets of an environment. This file is the one here that git tracks; it holds no values.',
      '# The values are in .secrets/<environment>.env, which only its owner can read (chmod 600).',
    ]);
  }
  const { infra, files } = filesOf(tree);
  if (files.storages.length === 0) {
    addJson(tree, `${infra}/zfs/storage.json`, {
      $schema: schemaPath(`${infra}/zfs`, 'storage'),
      description: 'The storage host: preflight, the snapshot set of a deploy, status, inventory and audit log',
    });
  }
  if (files.environments.length > 0) return [];
  const file = `${infra}/environments/local.json`;
  addJson(tree, file, localEnvironment(tree, file, infra, options));
  return [`${file}: host, image, network and profiles are what it says; npx nx run zfs:preflight -c local tells what is not there`];
}

/** The plugin's entry; and no terminal UI unless the workspace has decided on it: verbs that could lose something ask on the terminal. */
function register(tree: Tree, wanted: string | undefined): void {
  const nxJson: NxJsonConfiguration = readNxJson(tree) ?? {};
  const plugins = nxJson.plugins ?? [];
  if (plugins.some((plugin) => PLUGINS.includes(typeof plugin === 'string' ? plugin : plugin.plugin))) {
    const infra = infraOf(nxJson);
    if (wanted === undefined || wanted === infra) return;
    throw new InputError(`nx.json has the infra folder ${infra}, and --infra=${wanted} is another`, {
      next: `without --infra, or change nx.json and move the folder`,
    });
  }
  const entry = { plugin: 'nx-mooring/plugin', options: { infra: wanted ?? DEFAULT_INFRA } };
  tree.write('nx.json', formatJson({ ...nxJson, tui: nxJson.tui ?? { enabled: false }, plugins: [...plugins, entry] }));
}

function ignore(tree: Tree): void {
  const lines = (tree.read('.gitignore', 'utf-8') ?? '').split('\n').map((line) => line.trim());
  const nx = lines.some((line) => /^\/?\.nx(\/|$)/.test(line)) ? [] : ['.nx/'];
  const binaries = lines.some((line) => /^\/?\.mooring\/?$/.test(line)) ? [] : ['.mooring/'];
  // As a pair: the exception counts only after the rule.
  const secrets = SECRETS.every((line) => lines.includes(line)) ? [] : SECRETS;
  appendLines(tree, '.gitignore', [...nx, ...binaries, ...secrets]);
}

function localEnvironment(tree: Tree, file: string, infra: string, options: InitOptions): object {
  const { host, project, profiles, image, network, prefix = `${workspaceName(tree)}-local-` } = options;
  const content = {
    $schema: schemaPath(`${infra}/environments`, 'environment'),
    description: 'This machine',
    host,
    incus: { project, profiles: profiles.length === 0 ? ['default'] : profiles, image },
    prefix,
    network,
    retention: 5,
  };
  mustParse(environmentSchema, content, { file });
  return content;
}

/** The workspace's name in package.json, without its scope; `app` where that could be no part of a host name. */
function workspaceName(tree: Tree): string {
  const { name = '' } = JSON.parse(tree.read('package.json', 'utf-8') ?? '{}') as { name?: string };
  const bare = name.replace(/^@[^/]*\//, '');
  return HOST_PART.test(bare) && bare.length <= 20 ? bare : 'app';
}
