import { type CommandResult, script } from '../../engine/command.ts';
import { commandFailed, MooringError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Found, ManagedFile } from '../managed-file.ts';
import { mustBeFile } from '../managed-look.ts';

/** The cluster's files as they are; the text of a file that is not there is `null`. */
export type ClusterFiles = {
  readonly major: number;
  /** Ours in conf.d. */
  readonly conf: string | null;
  readonly hba: string | null;
  /** Its one word is `auto`, `manual` or `disabled`: whether it starts with the container (pg_createcluster(1)). */
  readonly start: string | null;
  /** Whether postgresql.service, which starts the clusters, is enabled: by its link, as asking systemd takes 7 ms. */
  readonly enabled: boolean;
  /** Mode and owner of those that are there, such as `640 postgres:postgres`. */
  readonly access: Readonly<Partial<Record<File, string>>>;
};

const FILES = { conf: 'conf.d/90-mooring.conf', hba: 'pg_hba.conf', start: 'start.conf' } as const;
type File = keyof typeof FILES;

/** The mode that each has to have: pg_hba.conf is for the server alone, as Debian makes it. */
const MODES: Readonly<Record<File, string>> = { conf: '644', hba: '640', start: '644' };

const WANTED = '/etc/systemd/system/multi-user.target.wants/postgresql.service';

export const pathOf = (file: File, major: number) => `/etc/postgresql/${major}/main/${FILES[file]}`;

/** All files by one grep: each line comes with its path. */
export const clusterFiles: Fact<ClusterFiles> = {
  name: 'files of the cluster',
  command: script(
    'read',
    `set -- "$1" ${Object.values(FILES)
      .map((file) => `/etc/postgresql/*/main/${file}`)
      .join(' ')}
wanted=$1; shift; stat -c 'access %.1A %a %U:%G %n' "$@" || :; exec grep -aH '' "$@" "$wanted"`,
    [WANTED],
  ),
  parse(result) {
    // grep(1): 2 when a file could not be read; which and why is on stderr.
    const unread = result.stderr.split('\n').filter(Boolean);
    if (result.code > 2 || unread.some((line) => !line.endsWith(': No such file or directory'))) {
      throw commandFailed(result, 'the files of the cluster could not be read');
    }
    const { texts, access } = seen(result);
    const major = [...texts.keys()].flatMap((path) => /^\/etc\/postgresql\/(\d+)\/main\//.exec(path)?.[1] ?? []).at(0);
    if (major === undefined) throw new MooringError('there is no cluster main in /etc/postgresql', { stderr: unread.join('\n') });
    const found = <T>(values: Map<string, T>, file: File) => values.get(pathOf(file, Number(major)));
    const files = Object.keys(FILES) as File[];
    return {
      major: Number(major),
      conf: found(texts, 'conf') ?? null,
      hba: found(texts, 'hba') ?? null,
      start: found(texts, 'start') ?? null,
      enabled: texts.has(WANTED),
      access: Object.fromEntries(files.flatMap((file) => (found(access, file) === undefined ? [] : [[file, found(access, file)]]))),
    };
  },
};

function seen({ stdout }: CommandResult): { texts: Map<string, string>; access: Map<string, string> } {
  const texts = new Map<string, string>();
  const access = new Map<string, string>();
  for (const line of stdout.split('\n').slice(0, -1)) {
    const [, letter, rights, of] = /^access (\S) (\d{3,4} \S+:\S+) (\/.+)$/.exec(line) ?? [];
    if (letter !== undefined && rights !== undefined && of !== undefined) {
      mustBeFile(of, letter);
      access.set(of, rights);
      continue;
    }
    const [, path, text] = /^(\/[^:]+):(.*)$/s.exec(line) ?? [];
    if (path === undefined) throw new MooringError(`unexpected line of stat or grep: ${line}`);
    texts.set(path, `${texts.get(path) ?? ''}${text}\n`);
  }
  return { texts, access };
}

/** One of the files as it must be, and as it is: for `planFile` and `put`. */
export function fileAndFound(file: File, files: ClusterFiles, content: string): [ManagedFile, Found] {
  const text = files[file];
  const [mode = '', owner = ''] = (files.access[file] ?? '').split(' ');
  const found: Found = text === null ? null : { kind: 'file', mode, owner, text, same: text === content };
  return [{ kind: 'file', path: pathOf(file, files.major), content, mode: MODES[file], owner: 'postgres:postgres' }, found];
}
