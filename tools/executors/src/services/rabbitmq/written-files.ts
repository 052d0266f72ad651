import type { Change } from '../../engine/change.ts';
import { type Command, type FoundFile, script, write } from '../../engine/command.ts';
import { tell, tellIfItRuns } from './erlang.ts';
import { difference, type FileName, paths, putBack, putFile, RIGHTS } from './files.ts';
import type { NodeFacts } from './node.ts';

/** 127.0.0.1 as /proc/net/tcp writes it. */
const LOOPBACK = '0100007F';

/**
 * The files that the node reads when it starts, and the drop-in of its unit.
 *
 * @param warnings what is to be known of rabbitmq.conf before it is written
 */
export function planFiles(node: NodeFacts, files: Readonly<Record<FileName, string>>, warnings: readonly string[]): Change[] {
  return (['conf', 'env', 'inetrc', 'order'] as const).flatMap((name) =>
    planFile(name, node.files[name], files[name]).map((change) => ({
      ...change,
      ...(name === 'conf' && warnings.length > 0 ? { warnings } : {}),
    })),
  );
}

function planFile(name: FileName, found: FoundFile | null, text: string): Change[] {
  const why = difference(found, text);
  if (why === undefined) return [];
  const reload = name === 'order' ? [write(['systemctl', 'daemon-reload'])] : [];
  const {
    before,
    after,
    note = '',
  } = found?.text === text ? { before: `${found.mode} ${found.owner}`, after: RIGHTS } : lines(found?.text, text);
  return [
    {
      resource: `file ${paths[name]}`,
      action: found === null ? 'create' : 'update',
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      impact: 'none',
      because: `${why}${note}`,
      commands: [putFile(name, text), ...reload],
      undo: [putBack(name, found), ...reload],
    },
  ];
}

/** Erlang's port mapper: that it runs, on loopback only. */
export function planEpmd({ files, epmdListens, running }: NodeFacts, text: string): Change[] {
  const open = epmdListens.some((address) => address !== LOOPBACK);
  const gone = typeof running === 'object' && epmdListens.length === 0;
  const why = difference(files.epmd, text);
  if (!open && !gone && (why === undefined || files.epmd?.text === text)) return planFile('epmd', files.epmd, text);
  // A node registers itself again within a minute of its port mapper's return; asked to look, at once.
  const register = 'catch rabbit_epmd_monitor ! check, ok';
  return [
    {
      resource: 'unit epmd.socket',
      action: 'update',
      before: open ? 'open to all networks' : gone ? 'not running' : 'not limited to loopback',
      after: 'loopback only',
      impact: 'none',
      because: "Erlang's port mapper is for the container itself",
      commands: [putFile('epmd', text), restartEpmd(), ...(typeof running === 'object' ? [tell(register)] : [])],
      undo: [putBack('epmd', files.epmd), restartEpmd()],
      afterUndo: [tellIfItRuns(register)],
    },
  ];
}

function restartEpmd(): Command {
  return script('write', 'systemctl daemon-reload; systemctl stop epmd.service epmd.socket; systemctl start epmd.socket');
}

/** How a text differs from the one before, in lines. */
function lines(former = '', text: string): { before?: string[]; after?: string[]; note?: string } {
  const gone = linesOnlyIn(former, text);
  const added = linesOnlyIn(text, former);
  return {
    ...(gone.length > 0 ? { before: gone } : {}),
    ...(added.length > 0 ? { after: added } : {}),
    ...(gone.length + added.length === 0 ? { note: ' in comments or order' } : {}),
  };
}

/** The lines of a text that the other one has not; comments and blank lines do not count. */
function linesOnlyIn(text: string, other: string): string[] {
  const theirs = new Set(other.split('\n'));
  return text.split('\n').filter((line) => !theirs.has(line) && !/^\s*([#%]|$)/.test(line));
}
