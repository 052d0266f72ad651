import { explainDecisions } from '../shared/prune-sets.ts';
import { shortName } from '../snapshots/name.ts';
import type { PruneOptions } from '../verbs/prune/options.ts';
import type { PreservedLeft, PrunedPreserved } from '../verbs/prune/preserved.ts';
import type { HostPrune, Pruned } from '../verbs/prune/restore-points.ts';
import { jsonUnreachable } from './absent.ts';
import { showPreserved } from './preserved.ts';
import type { Report } from './report.ts';
import { showBytes } from './units.ts';

/** What prune answers with. */
export const pruneReport: Report<Pruned | PrunedPreserved, PruneOptions, readonly PreservedLeft[]> = {
  text(data) {
    if ('left' in data) return [...data.left.map(showLeft), ...data.leftOut].join('\n');
    if ('became' in data) return [...data.became, ...data.leftOut].join('\n');
    const named = data.hosts.length + data.dead.size > 1;
    return [...data.hosts.map((host) => showHost(host, named)), ...data.leftOut].join('\n');
  },
  json(data, clean) {
    const { environment } = data;
    if ('became' in data) return clean.json({ environment, became: data.became }, 2);
    if ('left' in data) return clean.json({ environment, hosts: data.left.map(jsonLeft), unreachable: jsonUnreachable(data.dead) }, 2);
    const { hosts, dead } = data;
    const dryRun = hosts.every(({ report }) => report === undefined);
    return clean.json({ environment, dryRun, hosts: hosts.map(jsonHost), unreachable: jsonUnreachable(dead) }, 2);
  },
  preview: (left) => left.map(showLeft).join('\n'),
};

function showHost({ host, decisions, strays, report }: HostPrune, named: boolean): string {
  const sentences = report?.sentences ?? explainDecisions(decisions, strays);
  const doomed = decisions.filter(({ keep }) => !keep).length;
  const of = `of ${decisions.length} restore point${decisions.length === 1 ? '' : 's'}`;
  const stuck = report?.stuck.length ?? 0;
  const end =
    report === undefined
      ? `${doomed} ${of} would be destroyed; nothing was changed`
      : `destroyed ${report.destroyed.length} ${of}${stuck === 0 ? '' : `; ${stuck} snapshot${stuck === 1 ? '' : 's'} could not be destroyed and stay${stuck === 1 ? 's' : ''}`}`;
  return [...sentences, end].map((line) => (named ? `${host}: ${line}` : line)).join('\n');
}

function jsonHost({ host, decisions, strays, report }: HostPrune): unknown {
  return {
    host,
    restorePoints: decisions.map(({ set, keep, because }) => ({
      ...{ name: set.name, short: shortName(set.name), id: set.id, keep, because },
      ...(report === undefined ? {} : { destroyed: report.destroyed.includes(set) }),
    })),
    strays,
    ...(report === undefined ? {} : { stuck: report.stuck }),
  };
}

function showLeft({ kept, free, sets }: PreservedLeft): string {
  if (kept.length + sets.length === 0) return 'no roll-back left anything that is still there';
  const sizes = [...free].map(([dataset, bytes]) => `${dataset}: ${showBytes(bytes)} would be free without it`);
  const points = sets.map((set) => `${shortName(set.name)}: ${set.members.map(({ instance }) => instance).join(', ')}, cut ${set.cutAt}`);
  return [showPreserved(kept), ...sizes, ...points].filter(Boolean).join('\n');
}

function jsonLeft({ host, kept, free, sets }: PreservedLeft): unknown {
  return {
    host,
    kept: kept.map((state) => ({ ...state, freeBytes: free.get(state.dataset) ?? null })),
    restorePoints: sets.map(({ name, id, cutAt, members }) => ({ name, id, cutAt, instances: members.map(({ instance }) => instance) })),
  };
}
