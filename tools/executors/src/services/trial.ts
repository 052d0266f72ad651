import { type CommandResult, read, script } from '../engine/command.ts';
import { InputError, lastLines } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import type { Secret } from '../engine/secret.ts';
import { type Listener, PRINT_LISTENERS, takeListeners } from './listeners.ts';
import { whyNoAnswer } from './sandbox.ts';

/** What a product says of a file that it has not been given yet, and what listens in the container; see {@link TrialOptions.ports}. */
export type Trial = Verdict & { readonly listeners?: readonly Listener[] };

type Verdict =
  /** The file would not change: nothing was tried. */
  | { readonly state: 'unchanged' }
  /** It takes the file; `said` is what the program printed. */
  | { readonly state: 'taken'; readonly said: string }
  /** It refuses the file, in its own words. */
  | { readonly state: 'refused'; readonly reason: string }
  /** It could not be asked, or was not with `--skip-trial`, which is no reason to refuse the file. */
  | { readonly state: 'untried'; readonly because: string; readonly bySkipTrial?: true };

/** What is tried, and how. */
export type TrialOptions = {
  /** As messages name it: `trial of /etc/redis/redis.conf`. */
  readonly name: string;
  /**
   * The file that would take this content, as a shell pattern; or several that would take one part of it each, with blanks between them.
   * Where it is there already, nothing is tried.
   */
  readonly path: string;
  /** What the file would hold. It reaches the program on its stdin. */
  readonly content: string | Secret;
  /**
   * Files that the program reads and that are not for every user, as shell patterns with blanks between them. They are handed over in
   * `$CREDENTIALS_DIRECTORY`, by their base names; one that is not there is left out.
   */
  readonly credentials?: string;
  /** A user that is in /etc/passwd, for a program that looks itself up there; it may write no more than another. Only `nobody` owns nothing. */
  readonly user?: 'nobody';
  /**
   * POSIX shell text that has the product read the content, in an empty folder of its own. Exit code 0: taken; {@link REFUSED}: refused, with
   * the reason on stderr; any other: it could not be tried. `$TRIAL_MEMORY_KB` is the container's memory: what it may use itself is far less.
   */
  readonly program: string;
  /** `$1`, `$2`, … of the program; they must hold no secret. */
  readonly parameters?: readonly string[];
  /** How long it may take, in seconds. */
  readonly seconds: number;
  /**
   * Where the service takes its ports: what listens in the container is looked at too, where the content or one of the further files is not there
   * already, or where the unit has no process. It may be a pattern, as `postgresql@*-main.service`.
   */
  readonly ports?: { readonly unit: string; readonly files?: Readonly<Record<string, string>> };
};

/** The flag that has nothing tried, as its user types it. */
export const SKIP_TRIAL = '--skip-trial';

/** Exit code of a program whose product refuses the content (EX_DATAERR of sysexits.h). */
export const REFUSED = 65;
const UNCHANGED = 10;
const SKIPPED = 11;
/** With less on its disk a trial could take from the live server what that needs for its next write. In kB. */
const ROOM_KB = 200 * 1024;

/**
 * Where the container is not allowed a network namespace systemd goes on without one, and so for System V IPC (systemd 252, exec_child,
 * "ignoring"): the trial would then speak on the live network and find the live server's port taken. It insists on a mount namespace itself.
 */
const APART = `net=$(readlink /proc/self/ns/net) ipc=$(readlink /proc/self/ns/ipc)
if [ "$net" = "$1" ] || [ "$ipc" = "$2" ]; then
  echo "the container is not allowed to give the sandbox a network and memory of its own" >&2; exit 1
fi
shift 2; `;

/**
 * The sandbox is a transient unit with a user of its own, which may write nowhere but in its private /tmp, /var/tmp and /dev/shm (systemd takes them away),
 * has no network but a loopback interface of its own, half of the free memory at most, and the first place for the OOM killer
 * (systemd.exec(5), DynamicUser=; systemd.resource-control(5), MemoryMax=). It has the machine's processors when nobody else wants them.
 */
const TRY = `path=$1 credentials=$2 user=$3 seconds=$4 unit=$5 files=$6 texts=$7 program=$8; shift 8
content=$(cat; echo .); content=\${content%.}
${PRINT_LISTENERS}runs() {
  for slice in /sys/fs/cgroup/system.slice /sys/fs/cgroup/systemd/system.slice; do
    for procs in $slice/$unit/cgroup.procs $slice/*/$unit/cgroup.procs; do
      ! { read -r _ <"$procs"; } 2>/dev/null || return 0
    done
  done
  return 1
}
there() { [ "$1." = "$(shift; cat "$@" 2>/dev/null && echo .)" ]; }
if there "$content$texts" $path $files; then
  [ -z "$unit" ] || runs || listeners
  exit ${UNCHANGED}
fi
[ -z "$unit" ] || listeners
if [ -n "$files" ] && there "$content" $path; then exit ${UNCHANGED}; fi
[ "$(df --output=avail -k /var/tmp | tail -n 1)" -ge ${ROOM_KB} ] || { echo 'there is less than ${ROOM_KB / 1024} MB of room in /var/tmp' >&2; exit 1; }
net=$(readlink /proc/self/ns/net) ipc=$(readlink /proc/self/ns/ipc)
set -- -- sh -euc '${APART}cd "$(mktemp -d /var/tmp/trial.XXXXXX)"; program=$1; shift; eval "$program"' sh "$net" "$ipc" "$program" "$@"
for file in $credentials; do [ ! -e "$file" ] || set -- -p LoadCredential="\${file##*/}:$file" "$@"; done
[ -z "$user" ] || set -- -p User="$user" "$@"
memory() { sed -n "s/^$1: *\\([0-9]*\\) kB$/\\1/p" /proc/meminfo; }
free=$(memory MemAvailable)
printf '%s' "$content" | systemd-run --quiet --wait --pipe --collect --service-type=exec --description='trial of a configuration' \\
  -E TRIAL_MEMORY_KB="$(memory MemTotal)" \\
  -p DynamicUser=yes -p PrivateNetwork=yes -p PrivateIPC=yes -p TemporaryFileSystem=/dev/shm:mode=1777 -p ProtectProc=invisible -p RuntimeMaxSec="$seconds" -p TimeoutStopSec=2 \\
  -p MemoryMax="$((\${free:-131072} / 2))K" -p MemorySwapMax=0 -p OOMScoreAdjust=1000 -p CPUWeight=10 -p Nice=10 -p UMask=0077 "$@" && code=0 || code=$?
# Of these two the program says nothing.
case $code in ${UNCHANGED} | ${SKIPPED}) code=1 ;; esac
exit "$code"`;

/**
 * Whether a product takes a file, asked beside the live service before the file is put in place. It changes nothing.
 *
 * @returns a fact whose verdict never throws: what could not be tried is told as that
 */
export function trial(options: TrialOptions): Fact<Trial> {
  const { name, path, content, credentials = '', user = '', program, parameters = [], seconds, ports } = options;
  const files = Object.entries(ports?.files ?? {});
  const watched = [ports?.unit ?? '', files.map(([file]) => file).join(' '), files.map(([, text]) => text).join('')];
  return {
    name,
    command: script('read', TRY, [path, credentials, user, String(seconds), ...watched, ...[program, ...parameters].map(asItIs)], {
      stdin: content,
      timeoutMs: (seconds + 10) * 1000,
    }),
    parse(result) {
      const { listeners, rest } = takeListeners(result.stdout);
      const verdict = parseVerdict({ ...result, stdout: rest });
      return listeners.length === 0 ? verdict : { ...verdict, listeners };
    },
    withoutTrial: read(['sh', '-c', `exit ${SKIPPED}`]),
  };
}

/**
 * What a trial comes to for a plan.
 *
 * @param product as its users name it: `PostgreSQL 15`
 * @returns warnings for the change that writes what could not be tried; none where it was, or need not be
 * @throws InputError where the product refuses it
 */
export function judged(trial: Trial, product: string): readonly string[] {
  if (trial.state === 'refused') {
    throw new InputError(`${product} does not take these settings, and none of them was written: ${trial.reason}`, {
      next: `correct the settings in container.json, then run the same command again; if they are right and the trial is wrong: ${SKIP_TRIAL}`,
    });
  }
  if (trial.state !== 'untried') return [];
  return [`${trial.bySkipTrial ? 'not' : 'could not be'} tried beforehand: ${trial.because.replaceAll('\n', '; ')}`];
}

/** For systemd, which would put a variable of the unit's environment in the place of `${name}` (systemd.service(5), "Command lines"). */
function asItIs(argument: string): string {
  return argument.replaceAll('$', () => '$$');
}

function parseVerdict({ code, stdout, stderr }: CommandResult): Verdict {
  if (code === UNCHANGED) return { state: 'unchanged' };
  if (code === SKIPPED) return { state: 'untried', because: SKIP_TRIAL, bySkipTrial: true };
  if (code === 0) return { state: 'taken', said: stdout };
  const words = lastLines(stderr || stdout).trim();
  if (code === REFUSED) return { state: 'refused', reason: words };
  return { state: 'untried', because: words === '' ? whyNoAnswer(code) : words };
}
