import { z } from 'zod';
import { type Command, type CommandResult, script } from '../engine/command.ts';
import { CommandError, commandFailed, mustSucceed } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import { environmentDir } from '../engine/state-dir.ts';
import { shellProgram } from '../shell/program.ts';

const entrySchema = z.object({
  /** RFC 3339, by the host's clock. */
  time: z.iso.datetime(),
  run: z.string(),
  who: z.string(),
  release: z.string().optional(),
  /** `deploy`, `lease`, `provision`, `configure`, `place`, … */
  what: z.string(),
  container: z.string().optional(),
  /** Of `place`: the container's project, and the host that it was on, by its name in the environment. */
  project: z.string().optional(),
  host: z.string().optional(),
  /** `started`, `ok`, `failed`, … */
  result: z.string(),
  /** Id of the restore point's set. */
  set: z.string().optional(),
  /** Hosts of the environment that a deploy left out. */
  without: z.array(z.string()).optional(),
  /** What was changed, a sentence each; never a value that is secret. */
  changes: z.array(z.string()).optional(),
  detail: z.string().optional(),
});

/** One line of the audit log. Fields that a newer version wrote are left out. */
export type AuditEntry = z.output<typeof entrySchema>;
/** An entry before the host has stamped it with its time. */
export type NewAuditEntry = Omit<AuditEntry, 'time'>;

/** What stands in place of a line that a crash of the host cut off; `result` of such an entry. */
export const BROKEN = 'broken';

/** How many entries of a kind the index keeps: deploys made over a restore point, other ends, and what else has an order. */
const KEPT = 200;

/** One of the verbs of the program that keeps the log. */
function audit(verb: 'append' | 'last' | 'decisive', environment: string, limit: number, stdin?: string): Command {
  const parameters = [verb, environmentDir(environment), String(limit)];
  const options = stdin === undefined ? {} : { stdin };
  return script(verb === 'append' ? 'write' : 'read', shellProgram(import.meta.url, 'audit.sh'), parameters, options);
}

/** An entry that is about to be written. */
export const newEntrySchema = entrySchema.omit({ time: true }).strict();

/**
 * Appends entries to `/var/lib/mooring/<environment>/audit.jsonl` (0600): stamped by the host's clock, all in one write
 * to a file opened for appending, on the disk when the command ends. A line that a crash cut off is left as it is, and ended.
 * The index beside the log is brought up to it.
 */
export function appendAudit(environment: string, entries: readonly NewAuditEntry[]): Command {
  return audit('append', environment, KEPT, entries.map((entry) => `${JSON.stringify(newEntrySchema.parse(entry))}\n`).join(''));
}

/**
 * The last entries of an environment's audit log on a host, oldest first; none when there is no log yet. A line that a crash cut
 * off is an entry with the result {@link BROKEN} that quotes it; a line that is whole and not understood is an error.
 *
 * @param limit how many lines at most
 */
export function readAudit(environment: string, limit: number): Fact<AuditEntry[]> {
  return auditFact(audit('last', environment, limit), environment);
}

/**
 * What decisions need of an environment's audit log on a host, oldest first, however long ago it was written and whatever was
 * written since; none when there is no log yet. Without the sentences of what was changed.
 */
export function readDecisive(environment: string): Fact<AuditEntry[]> {
  return auditFact(audit('decisive', environment, KEPT), environment);
}

function auditFact(command: Command, environment: string): Fact<AuditEntry[]> {
  return { name: 'audit log', command, parse: (result) => parseLog(result, `${environmentDir(environment)}/audit.jsonl`) };
}

function parseLog(result: CommandResult, file: string): AuditEntry[] {
  const [state, ...lines] = mustSucceed(result, `${file} could not be read`, { page: 'lease' }).stdout.split('\n');
  if (state === 'absent') return [];
  if (state !== 'present') throw commandFailed(result, 'the answer about the audit log is not understood', { page: 'lease' });
  const entries: AuditEntry[] = [];
  for (const line of lines.filter(Boolean)) entries.push(parseLine(line, file, entries.at(-1)));
  return entries;
}

function parseLine(line: string, file: string, before: AuditEntry | undefined): AuditEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    const detail = `a line of ${file} was cut off, as by a crash of the host: ${JSON.stringify(line.slice(0, 120))}`;
    return { time: before?.time ?? new Date(0).toISOString(), run: '?', who: '?', what: 'log', result: BROKEN, detail };
  }
  const parsed = entrySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CommandError(`a line of ${file} is not an audit entry: ${z.prettifyError(parsed.error)}`, {
    stderr: line.slice(0, 200),
    page: 'lease',
    next: 'look at the file; was it edited by hand?',
  });
}
