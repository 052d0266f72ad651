import { type CommandResult, script } from '../../engine/command.ts';
import { commandFailed, MooringError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';

/** The cluster's files as they are; a file that is not there is `null`. */
export type ClusterFiles = {
  readonly major: number;
  /** Ours in conf.d. */
  readonly conf: string | null;
  readonly hba: string | null;
  /** `auto`, `manual` or `disabled`: whether it starts with the container (pg_createcluster(1)). */
  readonly start: string | null;
  /** Whether postgresql.service, which starts the clusters, is enabled: by its link, as asking systemd takes 7 ms. */
  readonly enabled: boolean;
};

const FILES = { conf: 'conf.d/90-mooring.conf', hba: 'pg_hba.conf', start: 'start.conf' } as const;
const WANTED = '/etc/systemd/system/multi-user.target.wants/postgresql.service';

/** All files by one grep: each line comes with its path. */
export const clusterFiles: Fact<ClusterFiles> = {
  name: 'files of the cluster',
  command: script(
    'read',
    `exec grep -aH '' ${Object.values(FILES)
      .map((file) => `/etc/postgresql/*/main/${file}`)
      .join(' ')} "$1"`,
    [WANTED],
  ),
  parse(result) {
    // grep(1): 2 when a file could not be read; which and why is on stderr.
    const unread = result.stderr.split('\n').filter(Boolean);
    if (result.code > 2 || unread.some((line) => !line.endsWith(': No such file or directory'))) {
      throw commandFailed(result, 'the files of the cluster could not be read');
    }
    const texts = textByPath(result);
    const major = [...texts.keys()].flatMap((path) => /^\/etc\/postgresql\/(\d+)\/main\//.exec(path)?.[1] ?? []).at(0);
    if (major === undefined) throw new MooringError('there is no cluster main in /etc/postgresql', { stderr: unread.join('\n') });
    const text = (file: string) => texts.get(`/etc/postgresql/${major}/main/${file}`) ?? null;
    const start = text(FILES.start)
      ?.split('\n')
      .map((line) => line.replace(/#.*/, '').trim())
      .find(Boolean);
    return { major: Number(major), conf: text(FILES.conf), hba: text(FILES.hba), start: start ?? null, enabled: texts.has(WANTED) };
  },
};

function textByPath({ stdout }: CommandResult): Map<string, string> {
  const texts = new Map<string, string>();
  for (const line of stdout.split('\n').slice(0, -1)) {
    const [, path, text] = /^(\/[^:]+):(.*)$/s.exec(line) ?? [];
    if (path === undefined) throw new MooringError(`unexpected line of grep: ${line}`);
    texts.set(path, `${texts.get(path) ?? ''}${text}\n`);
  }
  return texts;
}
