import type { ProjectConfiguration, TargetConfiguration } from '@nx/devkit';
import { APP_STEPS, type AppStep, STEPS, type Step } from '../engine/steps.ts';

/** Verbs beside the chain, by the kind of project that has them. */
const CONTAINER_VERBS = {
  verify: "Asks the service by its own protocol, with the application's credentials, inside and over its address",
  plan: 'Shows what configure would change, with before and after; changes nothing',
  status: 'State, address, version, release, restore points and drift of this container',
  rollback: 'Takes this container back to a restore point (--before, --to) or forward again (--undo); what is left is kept',
  drill: 'Proves that a restore point can be restored, on a throw-away copy without a network; the live container is only read',
} as const;
const STORAGE_VERBS = {
  status: 'The table of the environment: every container with its state, version, release and restore points',
  inventory: 'The data containers as an Ansible inventory (JSON)',
  snapshots: 'The restore points of the environment: release, age, size, written since, held, last good',
  prune: 'Destroys the restore points that no rule keeps, and says why the others stay',
  log: 'The audit log of the environment: who did what, and how it ended',
  rollback: 'Takes all containers back to one restore point (--before, --to) or forward again (--undo); what is left is kept',
} as const;

const CONTAINER_STEPS: Readonly<Partial<Record<Step, string>>> = {
  snapshot: "Proves that this container is in the deploy's restore point (or was absent)",
  provision: 'Creates the container if it is absent, starts it, reconciles its limits and devices; never re-creates it',
  configure: 'Brings the service to its settings, then verifies it; a second run changes nothing',
};
const STORAGE_STEPS: Readonly<Partial<Record<Step, string>>> = {
  preflight: 'Checks everything a deploy needs and reports all problems at once; changes nothing',
  snapshot: 'Cuts one restore point of all data containers of the environment, then prunes old ones',
};

const APP_VERBS = {
  verify: 'Asks the application by its health path, in the guest and over its address',
  plan: 'Shows what provision and configure would change, with before and after; changes nothing',
  status: 'State, address, release and drift of this guest',
  rollback: 'Takes the application back to the release that was live before, or to another good one (--to)',
  inventory: 'The guests of this application as an Ansible inventory (JSON); those of all applications with --all',
} as const;
const APP_STEP_DESCRIPTIONS: Readonly<Record<AppStep, string>> = {
  provision: 'Creates the guest if it is absent, after the address is proved to be free; starts it, reconciles it; never re-creates it',
  configure: 'Brings the guest to what the application needs: base system, user, firewall, units; a second run changes nothing',
  deploy: 'Builds the branch in a release of its own, migrates, switches, and goes back by itself if it is not healthy',
};

const DATA_TARGETS = [...STEPS, ...Object.keys(CONTAINER_VERBS), ...Object.keys(STORAGE_VERBS)];
const APP_TARGETS = [...APP_STEPS, ...Object.keys(APP_VERBS)];

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
      ...stepTargets(inferred, 'converge', CONTAINER_STEPS, before),
      ...verbTargets(inferred, CONTAINER_VERBS),
      ...(inferred.hasArtifacts ? { artifact: artifactTarget(inferred) } : {}),
    },
  );
}

/** The Nx project of the storage host. */
export function storageProject(inferred: Inferred): ProjectConfiguration {
  return project(inferred, ['mooring', 'mooring:storage'], {
    ...stepTargets(inferred, 'converge', STORAGE_STEPS, { snapshot: [{ target: 'preflight', params: 'forward' }] }),
    ...verbTargets(inferred, STORAGE_VERBS),
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
    { ...stepTargets(inferred, 'app', APP_STEP_DESCRIPTIONS, before), ...verbTargets(inferred, APP_VERBS) },
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
      description: 'Obtains the binaries the service needs, checked by sha256; a deploy does it itself if this has not run',
      technologies: ['nx-mooring'],
    },
  };
}
