import { join } from 'node:path';
import { generateFiles, OverwriteStrategy, type Tree } from '@nx/devkit';
import { didYouMean } from '../../engine/did-you-mean.ts';
import { InputError } from '../../engine/errors.ts';
import { secretNames } from '../../engine/secret-reference.ts';
import { services } from '../../services/index.ts';
import { environmentSchema, environmentSchemaOf } from '../../workspace/environment.ts';
import { environmentName } from '../../workspace/files.ts';
import { unknownEnvironment } from '../../workspace/unknown.ts';
import { initialise, SECRET_NAMES } from '../init/init.ts';
import { initSchema } from '../init/options.ts';
import { howToGiveValues } from '../shared/secret-values.ts';
import { addJson, appendLines, filesOf, readJsonOf, schemaPath } from '../shared/tree.ts';
import type { ContainerOptions } from './options.ts';
import { starter } from './starters.ts';

/** Read where they lie, also by the compiled generator: the package brings them beside dist. */
const TEMPLATES = join(import.meta.dirname, '../../../src/generators/container/files');

/**
 * Adds a container to the workspace, which is made ready first if it is not: its folder, and the names of its secrets. Every
 * environment of containers has it from then on, unless the options name some. What is there already is left as it is.
 *
 * @returns what to do next
 * @throws InputError for an environment that is not there, a service that is probably mistyped, a folder with another service
 */
export async function addContainer(tree: Tree, { name, service = name, environments }: ContainerOptions): Promise<readonly string[]> {
  const made = initialise(tree, initSchema.parse({}));
  const { infra, files } = filesOf(tree);
  const known = files.environments.map(environmentName);
  const unknown = environments.find((environment) => !known.includes(environment));
  if (unknown !== undefined) throw unknownEnvironment(unknown, known);

  const folder = `${infra}/${name}`;
  const file = `${folder}/container.json`;
  const isOwn = !(service in services);
  if (isOwn) refuseMistyped(service, name);
  const { description, settings } = await starter(service, name);
  addJson(tree, file, {
    $schema: schemaPath(folder, 'container'),
    description,
    service: isOwn ? './service.ts' : service,
    ...(environments.length === 0 ? {} : { environments }),
    settings,
  });
  const content = readJsonOf(tree, file) as { service?: unknown; settings?: unknown };
  refuseOther(file, content.service, isOwn ? './service.ts' : service);
  const secrets = secretNames(content.settings);
  const environment = environments[0] ?? exampleEnvironment(tree, files.environments);
  if (isOwn) {
    const values = { name, service, folder, environment, secret: secrets[0] ?? 'none' };
    generateFiles(tree, TEMPLATES, folder, values, { overwriteStrategy: OverwriteStrategy.KeepExisting });
    sayModule(tree, infra);
  }
  const missing = addSecretNames(tree, name, secrets);
  const values = howToGiveValues(tree, infra, environment, missing);
  return [...made, ...nextSteps({ name, folder, environment, isOwn, values })];
}

/** An environment that containers are part of, for what is printed: `local`, or the first. */
function exampleEnvironment(tree: Tree, files: readonly string[]): string {
  const names = files.filter((file) => environmentSchemaOf(readJsonOf(tree, file)) === environmentSchema).map(environmentName);
  return names.find((name) => name === 'local') ?? names[0] ?? 'local';
}

/** A name close to one of ours would create your own service by mistake. */
function refuseMistyped(service: string, container: string): void {
  const meant = didYouMean(service, Object.keys(services));
  if (meant === undefined) return;
  throw new InputError(`there is no service "${service}"; did you mean ${meant}?`, {
    next: `nx g nx-mooring:container ${container} --service=${meant}, or another name for a service of your own`,
  });
}

function refuseOther(file: string, found: unknown, wanted: string): void {
  if (found === wanted) return;
  throw new InputError(`${file}: service: found ${JSON.stringify(found)}; expected "${wanted}", as the options say`, {
    next: 'another name for the container, or another --service',
  });
}

/** Node warns in every command of a file with imports whose package does not say that it is a module. */
function sayModule(tree: Tree, infra: string): void {
  const root = JSON.parse(tree.read('package.json', 'utf-8') ?? '{}') as { type?: string };
  if (root.type !== 'module') addJson(tree, `${infra}/package.json`, { private: true, type: 'module' });
}

/** @returns those that were not there */
function addSecretNames(tree: Tree, container: string, secrets: readonly string[]): readonly string[] {
  const lines = (tree.read(SECRET_NAMES, 'utf-8') ?? '').split('\n');
  const missing = secrets.filter((secret) => !lines.some((line) => line.startsWith(`${secret}=`)));
  if (missing.length > 0) appendLines(tree, SECRET_NAMES, [`# ${container}`, ...missing.map((secret) => `${secret}=`)]);
  return missing;
}

type Made = {
  readonly name: string;
  readonly folder: string;
  readonly environment: string;
  readonly isOwn: boolean;
  /** How its secrets get their values. */
  readonly values: readonly string[];
};

function nextSteps({ name, folder, environment, isOwn, values }: Made): readonly string[] {
  return [
    ...(isOwn ? [`${folder}/service.ts: fill in the places marked FILL IN; for one of nx-mooring's services: --service`] : []),
    ...values,
    `npx nx run ${name}:plan -c ${environment}`,
  ];
}
