import type { Change } from '../../engine/change.ts';
import { type Command, type FoundFile, script } from '../../engine/command.ts';
import { planFile, put } from '../managed-file.ts';
import { DAEMON_RELOAD } from '../managed-unit.ts';
import { tell, tellIfItRuns } from './erlang.ts';
import { type FileName, found, managed } from './files.ts';
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
    planOne(name, node.files[name], files[name]).map((change) => ({
      ...change,
      ...(name === 'conf' && warnings.length > 0 ? { warnings } : {}),
    })),
  );
}

function planOne(name: FileName, file: FoundFile | null, text: string): Change[] {
  const follows = name === 'order' ? [DAEMON_RELOAD] : [];
  return planFile(managed(name, text), found(file, text), { show: (former) => lines(former, text), follows });
}

/** Erlang's port mapper: that it runs, on loopback only. */
export function planEpmd({ files, epmdListens, running }: NodeFacts, text: string): Change[] {
  const open = epmdListens.some((address) => address !== LOOPBACK);
  const gone = typeof running === 'object' && epmdListens.length === 0;
  if (!open && !gone && files.epmd?.text === text) return planOne('epmd', files.epmd, text);
  // A node registers itself again within a minute of its port mapper's return; asked to look, at once.
  const register = 'catch rabbit_epmd_monitor ! check, ok';
  const { commands, undo } = put(managed('epmd', text), found(files.epmd, text), { follows: [restartEpmd()] });
  return [
    {
      resource: 'unit epmd.socket',
      action: 'update',
      before: open ? 'open to all networks' : gone ? 'not running' : 'not limited to loopback',
      after: 'loopback only',
      impact: 'none',
      because: "Erlang's port mapper is for the container itself",
      commands: [...commands, ...(typeof running === 'object' ? [tell(register)] : [])],
      undo,
      afterUndo: [tellIfItRuns(register)],
    },
  ];
}

function restartEpmd(): Command {
  return script('write', 'systemctl daemon-reload; systemctl stop epmd.service epmd.socket; systemctl start epmd.socket');
}

/** How a text differs from the one before, in lines. */
function lines(former: string | undefined, text: string): { before?: string[]; after?: string[]; because: string } {
  if (former === undefined) return { after: linesOnlyIn(text, ''), because: 'there is no such file' };
  const gone = linesOnlyIn(former, text);
  const added = linesOnlyIn(text, former);
  return {
    ...(gone.length > 0 ? { before: gone } : {}),
    ...(added.length > 0 ? { after: added } : {}),
    because: `the file differs from the settings${gone.length + added.length === 0 ? ' in comments or order' : ''}`,
  };
}

/** The lines of a text that the other one has not; comments and blank lines do not count. */
function linesOnlyIn(text: string, other: string): string[] {
  const theirs = new Set(other.split('\n'));
  return text.split('\n').filter((line) => !theirs.has(line) && !/^\s*([#%]|$)/.test(line));
}
