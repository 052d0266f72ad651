import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** What a trial of a configuration did, by a trace of the first process of its container. */
export type TrialSeen = {
  /** Programs that its processes ran, by their paths. */
  readonly programs: readonly string[];
  /** What was mounted for it, by place: such as a folder of its own at /var/tmp. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Paths that it made, wrote, renamed, changed the mode of or took away, each once. */
  readonly written: readonly string[];
};

/** In the shell text that a trial begins with (services/trial.sh); what its process did before is systemd's work. */
const BEGINS = 'mktemp -d /var/tmp/trial.XXXXXX';

/** Options of strace for {@link trialsIn}: each process has a file of its own, paths are whole, and process ids are the host's. */
export const WRITES = [
  ...['-ff', '-qq', '-y', '--pidns-translation', '-s', '2048', '-e', 'signal=none', '-e'],
  'trace=%file,clone,clone3,fork,vfork,ftruncate,fallocate,fchmod,fchown,fsetxattr,fremovexattr,bind',
];

/** The trials that {@link WRITES} has seen. @throws when there is none, or a line that is not known */
export async function trialsIn(folder: string): Promise<TrialSeen[]> {
  const names = await readdir(folder);
  const files = await Promise.all(names.map(async (name) => [processOf(name), await readFile(join(folder, name), 'utf8')] as const));
  return parseTrials(new Map(files));
}

/** The same of the files' texts, by the process that each is of. Pure. */
export function parseTrials(texts: ReadonlyMap<number, string>): TrialSeen[] {
  const calls = new Map([...texts].map(([pid, text]) => [pid, text.split('\n').filter(Boolean).flatMap(parseLine)]));
  const trials = [...calls].flatMap(([pid, all]) => {
    const at = all.findIndex(({ name, given, failed }) => name === 'execve' && !failed && given.includes(BEGINS));
    return at === -1 ? [] : [{ pid, before: all.slice(0, at), from: at }];
  });
  if (trials.length === 0) throw new Error(`no trial in the trace of ${texts.size} processes`);
  return trials.map(({ pid, before, from }) => {
    const programs: string[] = [];
    const written: string[] = [];
    follow(pid, '/', from);
    return { programs: [...new Set(programs)], mounts: mounts(before), written: [...new Set(written)].sort() };

    function follow(process: number, folder: string, first = 0): void {
      const own = calls.get(process);
      if (own === undefined) throw new Error(`process ${process} of a trial was not traced`);
      let cwd = folder;
      for (const call of own.slice(first)) {
        if (call === CUT) throw new Error(`the trace ended before process ${process} of a trial`);
        if (call.failed) continue;
        cwd = folderOf(call, cwd);
        if (call.name === 'execve') programs.push(strings(call)[0] ?? '');
        if (call.child !== undefined) follow(call.child, cwd);
        else written.push(...writtenBy(call).map((path) => resolve(cwd, path)));
      }
    }
  });
}

type Call = { readonly name: string; readonly given: string; readonly returned: string; readonly failed: boolean; readonly child?: number };

/** In the place of a call that went on when the trace ended. */
const CUT: Call = { name: 'cut', given: '', returned: '', failed: false };

const STARTS = ['clone', 'clone3', 'fork', 'vfork'];
const READS = [
  ...['access', 'faccessat', 'faccessat2', 'stat', 'lstat', 'newfstatat', 'statx', 'statfs', 'readlink', 'readlinkat', 'getcwd'],
  ...['getxattr', 'lgetxattr', 'listxattr', 'llistxattr', 'inotify_add_watch', 'name_to_handle_at', 'chdir', 'fchdir'],
  ...['execve', 'execveat'],
];
/** The last path is the one that is made. */
const MADE = ['link', 'linkat', 'symlink', 'symlinkat'];
const WRITTEN = [
  ...['creat', 'mkdir', 'mkdirat', 'mknod', 'mknodat', 'unlink', 'unlinkat', 'rmdir', 'rename', 'renameat', 'renameat2', 'truncate'],
  ...[
    'chmod',
    'fchmodat',
    'fchmodat2',
    'chown',
    'lchown',
    'fchownat',
    'utime',
    'utimes',
    'futimesat',
    'utimensat',
    'setxattr',
    'lsetxattr',
  ],
  ...['removexattr', 'lremovexattr', 'mount', 'umount2'],
];
const BY_DESCRIPTOR = ['ftruncate', 'fallocate', 'fchmod', 'fchown', 'fsetxattr', 'fremovexattr'];

function processOf(name: string): number {
  const [, pid] = /\.(\d+)$/.exec(name) ?? [];
  if (pid === undefined) throw new Error(`no file of a trace: ${name}`);
  return Number(pid);
}

/** A line of strace(1); what tells how a process ended is no call, and a call that a kill ended did nothing. */
function parseLine(line: string): Call[] {
  if (/^\+\+\+ (exited with \d+|killed by SIG\w+( \(core dumped\))?) \+\+\+$/.test(line)) return [];
  if (line.endsWith(' <detached ...>')) return [CUT];
  const [, name, given, returned] = /^(\w+)\((.*)\)\s+= (.+)$/.exec(line) ?? [];
  if (name === undefined || given === undefined || returned === undefined) throw new Error(`a line of the trace is not known: ${line}`);
  const failed = returned.startsWith('-1 ') || returned.startsWith('?');
  if (!STARTS.includes(name) || failed) return [{ name, given, returned, failed }];
  const [, own, host] = /^(\d+)(?: \/\* (\d+) in strace's PID NS \*\/)?$/.exec(returned) ?? [];
  if (own === undefined) throw new Error(`a process of the trace is not known: ${line}`);
  return [{ name, given, returned, failed, child: Number(host ?? own) }];
}

/** The folder that relative paths are of after a call, as far as it tells. */
function folderOf(call: Call, before: string): string {
  const [, seen] = /\bAT_FDCWD<([^>]*)>/.exec(call.given) ?? [];
  if (call.name === 'chdir') return resolve(seen ?? before, strings(call)[0] ?? '');
  return seen ?? before;
}

function strings({ given }: Call): string[] {
  return [...given.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text ?? '');
}

/** What a call writes. @throws when it is not known what it does */
function writtenBy(call: Call): string[] {
  const { name, given, returned } = call;
  if (READS.includes(name)) return [];
  if (name === 'open' || name === 'openat' || name === 'openat2') {
    // Where it really is, links followed.
    return /\bO_(WRONLY|RDWR|CREAT|TRUNC|TMPFILE)\b/.test(given) ? [between(returned)] : [];
  }
  if (BY_DESCRIPTOR.includes(name)) return [between(given)];
  if (name === 'bind') return [...given.matchAll(/sun_path="([^"]+)"/g)].map(([, path]) => path ?? '');
  const paths = located(call);
  if (MADE.includes(name)) return paths.slice(-1);
  if (WRITTEN.includes(name) && paths.length > 0) return paths;
  throw new Error(`it is not known what this call writes: ${name}(${given}) = ${returned}`);
}

/** The paths of a call, each with the folder of the descriptor before it. */
function located({ given }: Call): string[] {
  return [...given.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)].map(([, folder, path]) =>
    folder === undefined ? (path ?? '') : resolve(folder, path ?? ''),
  );
}

/** The path of a descriptor: `3</var/tmp/log>`. */
function between(text: string): string {
  const [, path] = /^\d+<([^>]+)>/.exec(text) ?? [];
  if (path === undefined) throw new Error(`no path of a descriptor: ${text}`);
  return path;
}

/** systemd makes the mounts of a unit below this folder, before it becomes the root (namespace.c). */
const UNIT_ROOT = '/run/systemd/unit-root';

/** What stands where by the mounts of a process; systemd names the places by their descriptors. */
function mounts(calls: readonly Call[]): Record<string, string> {
  const opened = new Map<string, string>();
  const found: Record<string, string> = {};
  for (const call of calls.filter(({ failed }) => !failed)) {
    const [, descriptor, path] = /^(\d+)<([^>]+)>$/.exec(call.returned) ?? [];
    if (descriptor !== undefined && path !== undefined) opened.set(`/proc/self/fd/${descriptor}`, path);
    const [source, place] = call.name === 'mount' ? strings(call) : [];
    if (source === undefined || place === undefined) continue;
    const target = opened.get(place) ?? place;
    found[target.startsWith(`${UNIT_ROOT}/`) ? target.slice(UNIT_ROOT.length) : target] = source;
  }
  return found;
}
