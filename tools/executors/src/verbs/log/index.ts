import { type AuditEntry, readAudit } from '../../audit/audit.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { askLiving, hostsAsked, withLook } from '../../shared/verb-run.ts';
import type { LogOptions } from './options.ts';

/** The audit log of an environment, newest last, as far as its hosts answer. */
export function log(request: VerbRequest<LogOptions>): Promise<Answer<readonly AuditEntry[]>> {
  return withLook(request, async (run, asked) => {
    const fact = readAudit(run.environment.name, request.options.limit);
    const { answers, dead } = await askLiving(hostsAsked(asked), async (name) => {
      const host = await run.host(name);
      const [result] = await host.run([fact.command]);
      return result === undefined ? [] : fact.parse(result);
    });
    const entries = [...answers.values()].flat().sort((a, b) => (a.time < b.time ? -1 : 1));
    return { success: true, data: entries, absent: dead };
  });
}
