/*
 * Every verb, once. From here come the executors and their entry points, the targets of each project, the schemas that Nx reads, and the
 * lists in the documents. A verb's folder has `options.ts`, which is its zod schema, and `index.ts`, which is what it does; a verb that
 * applications have too has `data.ts` and `app.ts` in its place. This file is read in every nx command: it imports nothing.
 */

/** What a verb does on a project of each kind, as `nx show project` tells it; a kind that is left out does not have it. */
export type Verb = {
  /** In the list of executors. */
  readonly description: string;
  readonly container?: string;
  readonly storage?: string;
  readonly app?: string;
  /** All projects of a run share one process, one connection to each host and one table. */
  readonly batch?: true;
};

/** Verbs that stand beside a deploy; each is a target and an executor of its own. */
export const VERBS = {
  verify: {
    description: "Whether the service answers with the application's credentials",
    container: "Asks the service by its own protocol, with the application's credentials, inside and over its address",
    app: 'Asks the application by its health path, in the guest and over its address',
    batch: true,
  },
  plan: {
    description: 'What configure would change',
    container: 'Shows what configure would change, with before and after; changes nothing',
    app: 'Shows what provision and configure would change, with before and after; changes nothing',
    batch: true,
  },
  status: {
    description: 'What is there, and in which state',
    container: 'State, address, version, release, restore points and drift of this container',
    storage: 'The table of the environment: every container with its state, version, release and restore points',
    app: 'State, address, release and drift of this guest',
    batch: true,
  },
  rollback: {
    description: 'Takes containers back to an earlier state, or forward again; what is left is kept',
    container: 'Takes this container back to a restore point (--before, --to) or forward again (--undo); what is left is kept',
    storage: 'Takes all containers back to one restore point (--before, --to) or forward again (--undo); what is left is kept',
    app: 'Takes the application back to the release that was live before, or to another good one (--to)',
  },
  drill: {
    description: 'Whether a restore point can be restored',
    container: 'Proves that a restore point can be restored, on a throw-away copy without a network; the live container is only read',
  },
  inventory: {
    description: 'The data containers of an environment as an Ansible inventory',
    storage: 'The data containers as an Ansible inventory (JSON)',
    app: 'The guests of this application as an Ansible inventory (JSON); those of all applications with --all',
  },
  snapshots: {
    description: 'The restore points of an environment',
    storage: 'The restore points of the environment: release, age, size, written since, held, last good',
  },
  prune: {
    description: 'Destroys the restore points that no rule keeps',
    storage: 'Destroys the restore points that no rule keeps, and says why the others stay',
  },
  log: {
    description: 'The audit log of an environment',
    storage: 'The audit log of the environment: who did what, and how it ended',
  },
} as const satisfies Record<string, Verb>;

/** A kind of project. */
export type Kind = 'container' | 'storage' | 'app';

/** What each step of a deploy does, by the executor that performs it; the steps are in their order. */
export const DEPLOYS = {
  converge: {
    description: 'One step of a deploy: preflight, snapshot, provision or configure',
    tier: 'data',
    storage: {
      preflight: 'Checks everything a deploy needs and reports all problems at once; changes nothing',
      snapshot: 'Cuts one restore point of all data containers of the environment, then prunes old ones',
    },
    container: {
      snapshot: "Proves that this container is in the deploy's restore point (or was absent)",
      provision: 'Creates the container if it is absent, starts it, reconciles its limits and devices; never re-creates it',
      configure: 'Brings the service to its settings, then verifies it; a second run changes nothing',
    },
  },
  app: {
    description: "One step of an application's deploy: provision, configure or deploy",
    tier: 'app',
    app: {
      provision: 'Creates the guest if it is absent, after the address is proved to be free; starts it, reconciles it; never re-creates it',
      configure: 'Brings the guest to what the application needs: base system, user, firewall, units; a second run changes nothing',
      deploy: 'Builds the branch in a release of its own, migrates, switches, and goes back by itself if it is not healthy',
    },
  },
} as const;

/** What is built ahead of a deploy: it asks no host, needs no environment, and Nx may take its answer from the cache. */
export const ARTIFACT = {
  description: 'Obtains the binaries a service needs, ahead of a deploy',
  container: 'Obtains the binaries the service needs, checked by sha256; a deploy does it itself if this has not run',
} as const;

/** The verbs that projects of a kind have, with what each does there. */
export function verbsOf(kind: Kind): Record<string, string> {
  return Object.fromEntries(
    Object.entries(VERBS as Record<string, Verb>).flatMap(([name, { [kind]: does }]) => (does === undefined ? [] : [[name, does]])),
  );
}
