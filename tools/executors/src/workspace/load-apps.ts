import { basename, dirname } from 'node:path';
import { appSettings } from '../apps/settings.ts';
import { didYouMean } from '../engine/did-you-mean.ts';
import { InputError, type MooringError, ProblemsError } from '../engine/errors.ts';
import { HOST_PART } from '../engine/names.ts';
import { addressProblems } from './addresses.ts';
import { appSchema } from './app.ts';
import { type AppInEnvironment, type AppProject, appsOf } from './app-target.ts';
import type { AnyEnvironment } from './environment.ts';
import type { Reader } from './files.ts';
import { withoutFiles } from './keys.ts';
import { parseAll } from './problems.ts';
import { unknownEnvironment } from './unknown.ts';

/** Reads one application. @throws ProblemsError, InputError */
export function readApp(reader: Reader, file: string): AppProject {
  const result = parseAll(appSchema, reader.settings(file), { file });
  if ('problems' in result) throw new ProblemsError(file, result.problems);
  const folder = basename(dirname(file));
  if (result.value.name === undefined && !HOST_PART.test(folder)) {
    throw new InputError(`${file}: the folder's name ${JSON.stringify(folder)} cannot be the name of a project`, {
      next: 'for example "name": "pote"',
    });
  }
  return { project: result.value.name ?? folder, root: dirname(file), file: result.value };
}

/**
 * What single files cannot tell of the applications.
 *
 * @param known names of all environment files, those that are wrong too
 * @param containers names of the container projects
 */
export function checkApps(
  apps: readonly AppProject[],
  environments: readonly AnyEnvironment[],
  { known, containers, infra }: { known: readonly string[]; containers: readonly string[]; infra: string },
): MooringError[] {
  const targets = environments.flatMap((environment) => appsOf(apps, environment));
  return [
    ...apps.flatMap((app) => [...checkNeeds(app, containers), ...checkEnvironments(app, environments, known, infra)]),
    ...checkOverrides(environments, apps, infra),
    ...targets.flatMap(checkSettings),
    ...addressProblems(targets),
  ];
}

/** The settings as the environment has them. */
function checkSettings(target: AppInEnvironment): InputError[] {
  const { root, environment, project, settings } = target;
  const overridden = environment.apps[project] !== undefined;
  const checked = { ...settings, authorizedKeys: withoutFiles(settings.authorizedKeys), gitHostKeys: withoutFiles(settings.gitHostKeys) };
  const result = parseAll(appSettings, checked, { file: `${root}/app.json${overridden ? ` (with ${environment.name}.json)` : ''}` });
  return 'problems' in result ? result.problems : [];
}

function checkOverrides(environments: readonly AnyEnvironment[], apps: readonly AppProject[], infra: string): MooringError[] {
  const names = apps.map(({ project }) => project);
  return environments.flatMap(({ name, apps: overrides }) =>
    Object.keys(overrides)
      .filter((app) => !names.includes(app))
      .map((app) => {
        const meant = didYouMean(app, names);
        return new InputError(
          `${infra}/environments/${name}.json: apps.${app}: there is no such application${meant === undefined ? '' : `; did you mean ${meant}?`}`,
        );
      }),
  );
}

function checkNeeds({ root, file }: AppProject, containers: readonly string[]): MooringError[] {
  return file.needs
    .filter((name) => !containers.includes(name))
    .map((name) => {
      const meant = didYouMean(name, containers);
      return new InputError(
        `${root}/app.json: needs: there is no container ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      );
    });
}

function checkEnvironments(
  { root, file }: AppProject,
  environments: readonly AnyEnvironment[],
  known: readonly string[],
  infra: string,
): MooringError[] {
  return Object.keys(file.environments).flatMap((name) => {
    if (!known.includes(name))
      return [new InputError(`${root}/app.json: environments.${name}: ${unknownEnvironment(name, known).message}`)];
    const environment = environments.find((one) => one.name === name);
    if (environment === undefined || environment.proxmox !== undefined) return [];
    return [
      new InputError(
        `${root}/app.json: environments.${name}: ${infra}/environments/${name}.json has no proxmox: no guest can be part of it`,
        {
          next: `write "proxmox" into ${infra}/environments/${name}.json`,
        },
      ),
    ];
  });
}
