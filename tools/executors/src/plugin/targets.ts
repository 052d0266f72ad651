import type { ProjectConfiguration, TargetConfiguration } from '@nx/devkit';
import { APP_STEPS, type AppStep, STEPS } from '../engine/steps.ts';
import { ARTIFACT, DEPLOYS, verbsOf } from '../verbs/table.ts';

const { converge, app } = DEPLOYS;
const DATA_TARGETS = [...STEPS, ...Object.keys({ ...verbsOf('container'), ...verbsOf('storage') })];
const APP_TARGETS = [...APP_STEPS, ...Object.keys(verbsOf('app'))];

/**
 * Targets that ask or change a host: they need an environment. What is built ahead (artifact) does not. Those of
 * applications are only ours where there are some: many a project has a target `deploy`.
 */
export function hostTargets({ apps }: { apps: boolean }): ReadonlySet<string> {
  return new Set([...DATA_TARGETS, ...(apps ? APP_TARGETS : [])]);
}

/** What a project's targets are inferred from. */
export type Inferred = {
  readonly name: string;
  /** Folder, relative to the workspace. */
  readonly root: string;
  readonly description: string;
  /** Names of all environments: every project has a configuration for each, or Nx would run the base options. */
  readonly environments: readonly string[];
  /** Folder of the environment files, relative to the workspace. */
  readonly environmentFolder: string;
  /** The plugin itself, where it is a project of the workspace: what it changes affects all that it runs. */
  readonly implicitDependencies: readonly string[];
};

/** The Nx project of a data container. `storage` is the storage project's name; empty where there is none, which every verb refuses. */
export function containerProject(inferred: Inferred & { service: string; storage: string; hasArtifacts: boolean }): ProjectConfiguration {
  const { storage, service, implicitDependencies } = inferred;
  const before: Record<string, TargetConfiguration['dependsOn']> = {
    snapshot: storage === '' ? undefined : [{ projects: [storage], target: 'snapshot', params: 'forward' }],
    provision: [{ target: 'snapshot', params: 'forward' }],
    configure: [{ target: 'provision', params: 'forward' }],
  };
  return project(
    { ...inferred, implicitDependencies: [...implicitDependencies, ...(storage === '' ? [] : [storage])] },
    ['mooring', 'mooring:container', ...(service.startsWith('.') ? [] : [`service:${service}`])],
    {
      ...stepTargets(inferred, 'converge', converge.container, before),
      ...verbTargets(inferred, verbsOf('container')),
      ...(inferred.hasArtifacts ? { artifact: artifactTarget(inferred) } : {}),
    },
  );
}

/** The Nx project of the storage host. */
export function storageProject(inferred: Inferred): ProjectConfiguration {
  return project(inferred, ['mooring', 'mooring:storage'], {
    ...stepTargets(inferred, 'converge', converge.storage, { snapshot: [{ target: 'preflight', params: 'forward' }] }),
    ...verbTargets(inferred, verbsOf('storage')),
  });
}

/**
 * The Nx project of an application. `needs` are the container projects that are configured before it; what is wrong with those is told
 * before a guest is made. `storage` is the storage project's name, or empty.
 */
export function appProject(inferred: Inferred & { kind: string; needs: readonly string[]; storage: string }): ProjectConfiguration {
  const { kind, needs, storage, implicitDependencies } = inferred;
  const data = needs.length === 0 ? [] : [{ projects: [...needs], target: 'configure', params: 'forward' as const }];
  const before: Record<AppStep, TargetConfiguration['dependsOn']> = {
    provision: needs.length === 0 || storage === '' ? undefined : [{ projects: [storage], target: 'preflight', params: 'forward' }],
    configure: [{ target: 'provision', params: 'forward' }, ...data],
    deploy: [{ target: 'configure', params: 'forward' }],
  };
  return project(
    { ...inferred, implicitDependencies: [...implicitDependencies, ...needs] },
    ['mooring', 'mooring:app', ...(kind === '' ? [] : [`kind:${kind}`])],
    { ...stepTargets(inferred, 'app', app.app, before), ...verbTargets(inferred, verbsOf('app')) },
  );
}

function project(inferred: Inferred, tags: string[], targets: Record<string, TargetConfiguration>): ProjectConfiguration {
  const { name, root, description, implicitDependencies } = inferred;
  return {
    name,
    root,
    projectType: 'application',
    tags,
    implicitDependencies: [...implicitDependencies],
    metadata: { description, technologies: ['nx-mooring'] },
    targets,
  };
}

function stepTargets(
  inferred: Inferred,
  executor: string,
  steps: Readonly<Record<string, string>>,
  before: Record<string, TargetConfiguration['dependsOn']>,
) {
  return Object.fromEntries(
    Object.entries(steps).map(([step, description]) => [
      step,
      { ...hostTarget(inferred, executor, description, { step }), ...(before[step] === undefined ? {} : { dependsOn: before[step] }) },
    ]),
  );
}

function verbTargets(inferred: Inferred, verbs: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(verbs).map(([verb, description]) => [verb, hostTarget(inferred, verb, description, {})]));
}

/** What says how a project is to be: its folder, and every environment. `nx affected` goes by it. */
function settingsFiles(environmentFolder: string): string[] {
  return ['{projectRoot}/**/*', `{workspaceRoot}/${environmentFolder}/*.json`];
}

/** Base options name no host, and there is no default configuration: without `--configuration` nothing can happen anywhere. */
function hostTarget(
  { environments, environmentFolder }: Inferred,
  executor: string,
  description: string,
  options: Record<string, string>,
): TargetConfiguration {
  return {
    executor: `nx-mooring:${executor}`,
    cache: false,
    // Encrypted secrets too: `nx affected` sees one that was rotated.
    inputs: [...settingsFiles(environmentFolder), `{workspaceRoot}/${environmentFolder}/*.secrets.age`],
    options,
    configurations: Object.fromEntries(environments.map((environment) => [environment, { environment }])),
    metadata: { description, technologies: ['nx-mooring'] },
  };
}

/**
 * Its answer follows from the settings, which an environment may override, and from the plugin, which pins what they leave
 * open. The outputs are the files of the store and not its folder: nx removes an output before it restores it, and the
 * store also holds what other projects have obtained.
 */
function artifactTarget({ implicitDependencies, environmentFolder }: Inferred): TargetConfiguration {
  return {
    executor: 'nx-mooring:artifact',
    cache: true,
    inputs: [
      ...settingsFiles(environmentFolder),
      implicitDependencies.length > 0
        ? { input: 'production', projects: [...implicitDependencies] }
        : { externalDependencies: ['nx-mooring'] },
    ],
    outputs: ['{workspaceRoot}/.mooring/artifacts/*'],
    metadata: {
      description: ARTIFACT.container,
      technologies: ['nx-mooring'],
    },
  };
}
