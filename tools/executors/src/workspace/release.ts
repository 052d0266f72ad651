import { InputError } from '../engine/errors.ts';

/** The variable that names the release where the flag does not. */
export const RELEASE = 'MOORING_RELEASE';

/** What git says of the work tree. */
export type GitState = {
  /** HEAD, 40 lower-case hex digits. */
  readonly head: string;
  /** Changed or untracked paths, as `git status --porcelain` names them. */
  readonly changes: readonly string[];
};

export type ReleaseRequest = {
  /** `--release`. */
  readonly flag: string | undefined;
  /** `MOORING_RELEASE`. */
  readonly variable: string | undefined;
  readonly environment: string;
  readonly allowDirty: boolean;
  /** Files that a run writes itself, relative to the workspace: they change nothing of what is deployed. */
  readonly written: readonly string[];
  /** Or why git could not say. */
  readonly git: GitState | InputError;
};

/** What is deployed. */
export type Release = {
  /** 40 lower-case hex digits. */
  readonly sha: string;
  /** Whether the work tree has uncommitted changes; unknown, and so true, without git. */
  readonly dirty: boolean;
};

/**
 * The release: `--release`, else MOORING_RELEASE, else HEAD. Outside `local` it must come from a clean work tree,
 * whoever names it: the settings are read from the work tree.
 *
 * @throws InputError naming what is wrong with it, character by character if need be; nothing is trimmed or lower-cased
 */
export function resolveRelease({ flag, variable, environment, allowDirty, written, git }: ReleaseRequest): Release {
  const sha = flag !== undefined ? checkSha(flag, '--release') : variable !== undefined ? checkSha(variable, RELEASE) : undefined;
  if (git instanceof InputError) {
    if (sha === undefined || (environment !== 'local' && !allowDirty)) throw git;
    return { sha, dirty: true };
  }
  // git names paths from the top of the repository, of which the workspace may be a folder.
  const changes = git.changes.filter((path) => !written.some((own) => path === own || path.endsWith(`/${own}`)));
  const [first] = changes;
  if (first !== undefined && environment !== 'local' && !allowDirty) {
    const more = changes.length === 1 ? '' : ` and ${changes.length - 1} more`;
    throw new InputError(`the work tree has uncommitted changes (${first}${more}): ${environment} would not be what the release says`, {
      next: 'commit them, or --allow-dirty',
    });
  }
  if (sha === undefined && /^[0-9a-f]{64}$/.test(git.head)) {
    throw new InputError('this repository names its commits by SHA-256, and a release has 40 hex digits', {
      next: '--release="$(git rev-parse HEAD | cut -c1-40)"',
    });
  }
  return { sha: sha ?? checkSha(git.head, 'HEAD'), dirty: first !== undefined };
}

/** A release as it must be written. @param source where it came from, for the message */
export function checkSha(value: string, source: string): string {
  const wrong = faultOf(value);
  if (wrong === undefined) return value;
  throw new InputError(`${source}: ${wrong}; expected the 40 lower-case hex digits of a commit`, { next: 'git rev-parse HEAD' });
}

function faultOf(value: string): string | undefined {
  if (value === '') return 'it is empty';
  if (/[\r\n]/.test(value)) return 'it has a newline in it';
  if (/\s/.test(value)) return 'it has a space in it';
  const stranger = /[^0-9a-fA-F]/.exec(value)?.[0];
  if (stranger !== undefined) return `${JSON.stringify(stranger)} is not a hex digit`;
  if (value.length !== 40) return `it has ${value.length} digits`;
  return /[A-F]/.test(value) ? 'it has upper-case digits' : undefined;
}
