import { type Command, type CommandResult, read, script, write } from '../../engine/command.ts';
import { commandFailed, MooringError, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { SCRIPT } from '../layout/paths.ts';
import type { ReleaseState, Releases } from './release.ts';

/** Fetching and building; npm and pip have no limit of their own that is worth the name. */
const BUILD_MS = 30 * 60_000;
const MIGRATE_MS = 60 * 60_000;

/** The steps of a deploy, each a call of the guest's own script, in this order. */
export const buildStep = (id: string, commit: string): Command => write([SCRIPT, 'step', 'build', id, commit], { timeoutMs: BUILD_MS });
export const migrateStep = (id: string): Command => write([SCRIPT, 'step', 'migrate', id], { timeoutMs: MIGRATE_MS });
/** Has no limit: it ends by itself, and must not be ended half way back. */
export const activateStep = (id: string): Command => write([SCRIPT, 'step', 'activate', id]);
export const pruneStep = (ids: readonly string[]): Command => write([SCRIPT, 'step', 'prune', ...ids], { timeoutMs: BUILD_MS });

/** The releases in the guest, and whether its script is the one of the settings. */
export const releasesFact: Fact<Releases> = {
  name: 'releases',
  command: script('read', '[ -e "$1" ] || { echo none; exit 0; }; sha256sum "$1"; exec "$1" facts', [SCRIPT]),
  parse(result) {
    const [first = '', ...lines] = mustSucceed(result, 'the releases could not be looked at').stdout.replace(/\n$/, '').split('\n');
    if (first === 'none' && lines.length === 0) return { script: undefined, current: undefined, releases: [] };
    const [, sum] = /^([0-9a-f]{64}) {2}/.exec(first) ?? [];
    const [, current] = /^current\t([^\t]*)$/.exec(lines[0] ?? '') ?? [];
    if (sum === undefined || current === undefined) throw commandFailed(result, 'the answer about the releases is not understood');
    return { script: sum, current: current || undefined, releases: lines.slice(1).map(parseRelease) };
  },
};

function parseRelease(line: string): Releases['releases'][number] {
  const [, id, commit, state, before, since] =
    /^release\t([^\t]+)\t([0-9a-f]{40}|)\t(building|built|activating|good|failed)\t([^\t]*)\t(\d*)$/.exec(line) ?? [];
  if (id === undefined) throw new MooringError(`unexpected line about a release: ${line}`);
  return {
    id,
    commit: commit || undefined,
    state: state as ReleaseState,
    before: before || undefined,
    goodSince: since ? Number(since) : undefined,
  };
}

/** The branch's newest commit, asked from the guest: it has the key, and its way to the git server is the one that counts. */
export const headFact: Fact<string> = {
  name: 'newest commit',
  command: read([SCRIPT, 'head'], { timeoutMs: 60_000 }),
  parse: (result) => parseHead(result),
};

function parseHead(result: CommandResult): string {
  const { stdout } = mustSucceed(result, 'the newest commit of the branch is not known', {
    next: 'check repository, branch, deployKey and gitHostKeys of the application, and that the guest reaches the git server',
  });
  const [, commit] = /^([0-9a-f]{40})\n$/.exec(stdout) ?? [];
  if (commit === undefined) throw commandFailed(result, 'the answer of the git server is not understood');
  return commit;
}
