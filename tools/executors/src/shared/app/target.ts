import { type AppSettings, appService, appSettings } from '../../apps/index.ts';
import type { DescribedGuest } from '../../engine/guest-platform.ts';
import { parseInterface } from '../../engine/ip.ts';
import type { Secret } from '../../engine/secret.ts';
import { resolveReferences } from '../../engine/secret-reference.ts';
import type { Desired } from '../../engine/service.ts';
import type { AppInEnvironment } from '../../workspace/app-target.ts';
import { readKeys } from '../../workspace/keys.ts';
import { parseAll, refuse } from '../../workspace/problems.ts';

/** An application with its settings complete: secrets are in, keys are read. */
export type PreparedApp = AppInEnvironment & DescribedGuest & { readonly desired: Desired<AppSettings> };

/** Puts secrets and keys into the applications. @throws ProblemsError naming every setting that is not valid */
export function completedApps(
  root: string,
  targets: readonly AppInEnvironment[],
  lookup: (name: string) => Secret,
  skipTrial = false,
): PreparedApp[] {
  const results = targets.map((target) => {
    const file = `${target.root}/app.json`;
    const { authorizedKeys, gitHostKeys, ...rest } = target.settings;
    const keys = { authorizedKeys: readKeys(root, authorizedKeys, file), gitHostKeys: readKeys(root, gitHostKeys, file) };
    return { target, parsed: parseAll(appSettings, { ...(resolveReferences(rest, lookup) as typeof rest), ...keys }, { file }) };
  });
  refuse(
    results.flatMap(({ parsed }) => ('problems' in parsed ? parsed.problems : [])),
    'the settings are not valid',
  );
  return results.flatMap(({ target, parsed }) => ('value' in parsed ? [readyTarget(target, parsed.value, lookup, skipTrial)] : []));
}

function readyTarget(target: AppInEnvironment, settings: AppSettings, lookup: (name: string) => Secret, skipTrial: boolean): PreparedApp {
  const { guest, environment, project } = target;
  const { proxmox } = environment;
  const { branch: _, envVars: __, password, ...described } = guest;
  return {
    ...target,
    address: parseInterface(guest.ip).address,
    wanted: {
      ...described,
      node: proxmox.node,
      bridge: guest.bridge ?? proxmox.bridge,
      template: guest.template ?? proxmox.template,
      nameserver: guest.nameserver ?? proxmox.nameserver,
      password: password === undefined ? undefined : (resolveReferences(password, lookup) as Secret),
      owner: `${environment.name}/${project}`,
    },
    desired: {
      settings,
      context: {
        environment: environment.name,
        instance: guest.name,
        clientNetworks: [],
        artifacts: appService(settings).artifacts?.(settings) ?? {},
        skipTrial,
      },
    },
  };
}
