import { didYouMean } from '../engine/did-you-mean.ts';
import { InputError } from '../engine/errors.ts';
import { unknownEnvironment } from '../workspace/unknown.ts';
import type { Command } from './command-line.ts';

/** What the guards compare a command with. */
export type Known = {
  readonly environments: readonly string[];
  /** Our own projects; by the names that the graph has; asked only for a command that names some. */
  readonly projects: () => readonly string[];
  /** Targets of ours that need an environment. */
  readonly hostTargets: ReadonlySet<string>;
  /** Whether nx has a project that this name means. */
  readonly isProject: (name: string) => boolean;
  /** Why one of our files cannot be read, and so names no project; nothing where all can. */
  readonly unreadable: () => unknown;
  /** Every target that any project of the workspace has; asked only for a target that is none of ours. */
  readonly allTargets: () => ReadonlySet<string> | undefined;
  /** Whether nx writes its graph down, which what would run is compared with. */
  readonly keepsGraph: boolean;
};

/** Options that every task takes from its own target: given on the command line they would replace every task's. */
const FIXED = ['step', 'environment'];

/**
 * Refuses a command that nx would run with the base options, or not at all, and call a success: a missing or mistyped
 * configuration (nx falls back to the base options), a target that no project has (`run-many` and `affected` exit 0).
 *
 * @throws InputError
 */
export function guard(command: Command, known: Known): void {
  refuseUnknownTargets(command, known);
  const targets = command.targets.filter((target) => known.hostTargets.has(target));
  if (targets.length === 0) return;
  if (!mayConcern(command, known)) {
    refuseUnreadable(command, known);
    return;
  }

  const fixed = command.flags.find((flag) => FIXED.includes(flag) || FIXED.includes(flag.replace(/^no-/, '')));
  if (fixed !== undefined) {
    throw new InputError(`--${fixed} is not taken from the command line: it would replace that of every task of the run`, {
      next:
        fixed === 'environment'
          ? `--configuration=<environment>: ${known.environments.join(', ')}`
          : `name the target itself: ${targets.join(', ')}`,
    });
  }
  const [environment = '', second] = command.configurations;
  if (second !== undefined)
    throw new InputError(`more than one configuration: ${command.configurations.join(', ')}`, { next: 'name one environment' });
  if (environment === '') {
    throw new InputError(`${targets.join(', ')}: no environment given. Known environments: ${known.environments.join(', ') || 'none'}.`, {
      next: '--configuration=<environment>',
    });
  }
  if (!known.environments.includes(environment)) throw unknownEnvironment(environment, known.environments);
  if (!known.keepsGraph) {
    throw new InputError('with NX_CACHE_PROJECT_GRAPH=false nx writes no project graph, so the targets about to run cannot be checked', {
      next: 'unset NX_CACHE_PROJECT_GRAPH, then run the same command again',
    });
  }
}

/** A project that is nowhere may be that of a file that cannot be read: nx would do nothing and call it a success. */
function refuseUnreadable(command: Command, known: Known): void {
  if (command.projects.every((project) => known.isProject(project))) return;
  const error = known.unreadable();
  if (error !== undefined) throw error;
}

function refuseUnknownTargets(command: Command, known: Known): void {
  if (command.kind === 'run') return;
  const foreign = command.targets.filter((target) => !known.hostTargets.has(target));
  if (foreign.length === 0) return;
  const all = known.allTargets();
  const nowhere = all === undefined ? [] : foreign.filter((target) => !all.has(target) && !/[*?{[]/.test(target));
  if (nowhere.length === 0) return;
  // A pipeline may well ask every workspace for `e2e`; what concerns us is a mistyped target of ours, and a command that does nothing at all.
  const isOurs = nowhere.some((target) => didYouMean(target, known.hostTargets) !== undefined);
  if (!isOurs && nowhere.length < command.targets.length) return;
  const meant = nowhere.map((target) => didYouMean(target, [...known.hostTargets, ...(all ?? [])])).find((name) => name !== undefined);
  throw new InputError(
    `no project has a target "${nowhere.join('", "')}"; nx would do nothing and call it a success${meant === undefined ? '' : `. Did you mean ${meant}?`}`,
    {
      next: 'nx show projects --with-target=<target>',
    },
  );
}

/** Whether one of our projects may be meant. Patterns and tags are taken for "may": the executors know for sure, and ask again. */
function mayConcern(command: Command, known: Known): boolean {
  if (command.projects.length === 0) return true;
  const projects = known.projects();
  return command.projects.some(
    (project) => projects.includes(project) || !/^[\w@/.-]+$/.test(project) || projects.some((one) => one.endsWith(`/${project}`)),
  );
}
