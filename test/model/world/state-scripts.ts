import type { AuditEntry } from '../../../tools/executors/src/audit/audit.ts';
import { type Answer, failed, ok } from './answer.ts';
import type { Files } from './files.ts';
import type { World } from './world.ts';

/** A shell script of the plugin, done by the model. */
export type Script = (world: World, parameters: readonly string[], stdin: string) => Answer;

const acquire: Script = ({ files, seconds }, [folder = '', run = '', start = '', take = '', valid = '']) => {
  const entered = enter(files, folder);
  if ('code' in entered) return entered;
  const { old } = entered;
  const now = Math.floor(seconds());
  let since = now;
  let state = 'granted';
  if (old !== '') {
    const lease = understood(old);
    if (lease === undefined) return failed(`not a lease: ${old}`, 65);
    if (isOf(old, run)) [state, since] = ['renewed', lease.since];
    else if (lease.expires <= now) state = 'expired';
    else if (isOf(old, take)) state = 'taken';
    else return { code: 75, stdout: `held ${now}\n${old}\n`, stderr: '' };
  }
  const made = `${start},"since":${since},"expires":${now + Number(valid)}}`;
  files.write(`${folder}/lease`, `${made}\n`);
  return ok(`${state} ${now}\n${made}\n${old}\n`);
};

const renew: Script = ({ files, seconds }, [folder = '', run = '', valid = '']) => {
  const entered = enter(files, folder);
  if ('code' in entered) return entered;
  const { old } = entered;
  if (old === '') return ok('gone\n');
  if (!isOf(old, run)) return ok(`lost\n${old}\n`);
  if (understood(old) === undefined) return failed(`not a lease: ${old}`, 65);
  const expires = Math.floor(seconds()) + Number(valid);
  files.write(`${folder}/lease`, `${old.slice(0, old.lastIndexOf(',"expires":'))},"expires":${expires}}\n`);
  return ok('renewed\n');
};

const release: Script = ({ files }, [folder = '', run = '']) => {
  const entered = enter(files, folder);
  if ('code' in entered) return entered;
  if (isOf(entered.old, run)) files.remove(`${folder}/lease`);
  return ok();
};

const append: Script = (world, [folder = '', kept = ''], stdin) => {
  const { files } = world;
  const entered = enter(files, folder);
  if ('code' in entered) return entered;
  const log = `${folder}/audit.jsonl`;
  const old = files.read(log) ?? '';
  const stamp = `{"time":"${new Date(world.seconds() * 1000).toISOString().replace('Z', '000Z')}",`;
  const lines = stdin.replaceAll(/^\{/gm, stamp);
  files.write(log, `${old}${old !== '' && !old.endsWith('\n') ? '\n' : ''}${lines}`);
  const known = digested(files, folder, Number(kept));
  const body = known.map((line) => `${line}\n`).join('');
  files.write(`${folder}/index`, `${sizeOf(files, log)} ${Buffer.byteLength(body)}\n${body}`);
  if (stdin.includes('"what":"deploy","result":"ok"')) world.deployCompleted();
  return ok();
};

const readLog: Script = ({ files }, [folder = '', limit = '']) => {
  const file = `${folder}/audit.jsonl`;
  const refused = notThere(files, file);
  if (refused !== undefined) return refused;
  const lines = (files.read(file) as string).split(/(?<=\n)/);
  return ok(`present\n${lines.slice(-Number(limit)).join('')}`);
};

const readIndex: Script = ({ files }, [folder = '', kept = '']) => {
  const refused = notThere(files, `${folder}/audit.jsonl`);
  if (refused !== undefined && (refused.code !== 0 || !files.exists(`${folder}/index`))) return refused;
  return ok(`${['present', ...digested(files, folder, Number(kept))].join('\n')}\n`);
};

/** The verbs of the lease's script, by its first parameter. */
export const leaseScripts: Readonly<Record<string, Script>> = { acquire, renew, release };
/** The verbs of the audit log's script. */
export const auditScripts: Readonly<Record<string, Script>> = { append, last: readLog, decisive: readIndex };

/** The answer about a file that cannot be read. */
function notThere(files: Files, file: string): Answer | undefined {
  const folder = file.slice(0, file.lastIndexOf('/'));
  if (files.exists(folder) && files.read(folder) !== undefined) return failed(`stat: cannot statx '${file}': Not a directory`);
  return files.exists(file) ? undefined : ok('absent\n');
}

/** What decisions need of a log and its index; see `digest` of the plugin. */
function digested(files: Files, folder: string, kept: number): string[] {
  const log = `${folder}/audit.jsonl`;
  const [, bytes = '0', rest, body = ''] = /^(\d+) (\d+)\n(.*)$/s.exec(files.read(`${folder}/index`) ?? '') ?? [];
  const torn = Number(rest) !== Buffer.byteLength(body);
  const from = torn || Number(bytes) > sizeOf(files, log) ? 0 : Number(bytes);
  const more = Buffer.from(files.read(log) ?? '')
    .subarray(from)
    .toString()
    .replaceAll('\0', '?')
    .split('\n');
  const lines = new Map<string, string>();
  const seen = new Set<string>();
  const rings = new Map<string, number>();
  for (const line of [...(torn ? '' : body).split('\n'), ...more].filter(Boolean)) {
    const [kind, short] = kindOf(line);
    if (kind === undefined || seen.has(short)) continue;
    seen.add(short);
    const turn = rings.get(kind) ?? 0;
    rings.set(kind, turn + 1);
    const key = kind.includes(' ') ? kind : `${kind}/${turn % kept}`;
    // A map keeps the order in which its keys came in.
    lines.delete(key);
    lines.set(key, short);
  }
  return [...lines.values()];
}

/** Which line of an index a line of a log takes the place of, and how it stands there; those of a kind with a blank in it stand alone. */
function kindOf(line: string): [string | undefined, string] {
  if (!/["\]]\}$/.test(line)) return ['rest', line.slice(0, 160)];
  const { what, result, set, container, changes } = JSON.parse(line) as AuditEntry;
  if (what === 'prune') return [result === 'started' ? 'rest' : undefined, line];
  const short = changes === undefined ? line : `${line.slice(0, line.indexOf(',"changes":['))}}`;
  if (['provision', 'configure', 'adopt'].includes(what) && container !== undefined) return [`known ${container}`, short];
  if (what === 'place' && container !== undefined) return [`place ${container}`, short];
  if (!['deploy', 'rollback', 'undo'].includes(what)) return [undefined, short];
  if (what === 'deploy' ? result !== 'ok' : result === 'failed') return ['rest', short];
  return [set === undefined ? 'end' : 'over', short];
}

function sizeOf(files: Files, path: string): number {
  return Buffer.byteLength(files.read(path) ?? '');
}

/** The common beginning of all that touch an environment's folder. */
function enter(files: Files, folder: string): Answer | { old: string } {
  if (!files.makeFolder(folder)) return failed(`mkdir: cannot create directory '${folder}': File exists`);
  return { old: (files.read(`${folder}/lease`) ?? '').replace(/\n+$/, '') };
}

function isOf(lease: string, run: string): boolean {
  return run !== '' && lease.startsWith(`{"runId":"${run}",`);
}

function understood(lease: string): { since: number; expires: number } | undefined {
  const [, since] = /^.*"since":(\d+),/s.exec(lease) ?? [];
  const [, expires] = /"expires":(\d+)\}$/.exec(lease) ?? [];
  return since === undefined || expires === undefined ? undefined : { since: Number(since), expires: Number(expires) };
}
