import { z } from 'zod';
import { type Command, script } from '../engine/command.ts';
import type { Fact } from '../engine/fact.ts';
const schema = z.object({ time: z.string(), run: z.string(), who: z.string(), release: z.string().optional(), what: z.string(), container: z.string().optional(), result: z.string(), set: z.string().optional(), changes: z.array(z.string()).optional(), detail: z.string().optional() });
export type AuditEntry = z.output<typeof schema>;
export type NewAuditEntry = Omit<AuditEntry, 'time'>;
export function appendAudit(environment: string, entries: readonly NewAuditEntry[]): Command {
  return script('write', 'mkdir -p -m 0700 /var/lib/mooring/$1; umask 077; t=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ); sed "s/@TIME@/$t/" >> /var/lib/mooring/$1/audit.jsonl', [environment], { stdin: entries.map((e) => JSON.stringify({ time: '@TIME@', ...e }) + '\n').join('') });
}
export function readAudit(environment: string, limit: number): Fact<AuditEntry[]> {
  return { name: 'audit log', command: script('read', '[ -e "/var/lib/mooring/$1/audit.jsonl" ] || exit 0; tail -n "$2" "/var/lib/mooring/$1/audit.jsonl"', [environment, String(limit)]), parse: (r) => r.stdout.split('\n').filter(Boolean).map((l) => schema.parse(JSON.parse(l))) };
}
