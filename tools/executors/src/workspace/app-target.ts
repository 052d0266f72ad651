import type { AppFile } from './app.ts';
import type { GuestFile } from './app-guest.ts';
import type { AnyEnvironment } from './environment.ts';
import type { Proxmox } from './proxmox.ts';
import { mergeSettings } from './settings.ts';

/** An application's project in the workspace. */
export type AppProject = {
  /** Name of the Nx project. */
  readonly project: string;
  /** Its folder, relative to the workspace. */
  readonly root: string;
  readonly file: AppFile;
};

/** An environment that guests can be part of. */
export type GuestEnvironment = AnyEnvironment & { readonly proxmox: Proxmox };

/** One application in one environment. */
export type AppInEnvironment = {
  readonly project: string;
  readonly root: string;
  readonly description: string;
  readonly guest: GuestFile;
  /** What app.json and the environment say of the application, secrets still references. Checked by `appSettings`. */
  readonly settings: AppSettingsFile;
  readonly environment: GuestEnvironment;
};

/** Settings of an application as the files have them. */
export type AppSettingsFile = Omit<AppFile, '$schema' | 'version' | 'description' | 'needs' | 'environments' | 'name'> & {
  readonly name: string;
  readonly environment: string;
  readonly branch: string;
  readonly envVars: GuestFile['envVars'];
};

/** The applications of an environment, by name. */
export function appsOf(apps: readonly AppProject[], environment: AnyEnvironment): AppInEnvironment[] {
  const { proxmox } = environment;
  if (proxmox === undefined) return [];
  return apps.flatMap(({ project, root, file }) => {
    const guest = file.environments[environment.name];
    if (guest === undefined) return [];
    const { $schema, version, description, needs, environments, ...fields } = file;
    const merged = mergeSettings(fields, environment.apps[project]) as typeof fields;
    // What an override puts there has not been checked yet.
    const keys = Array.isArray(merged.authorizedKeys)
      ? [...new Set([...proxmox.authorizedKeys, ...merged.authorizedKeys])]
      : merged.authorizedKeys;
    const own = { name: project, environment: environment.name, branch: guest.branch, envVars: guest.envVars };
    return [
      {
        project,
        root,
        description,
        guest,
        settings: { ...merged, ...own, authorizedKeys: keys },
        environment: { ...environment, proxmox },
      },
    ];
  });
}
