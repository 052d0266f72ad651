import { createHash } from 'node:crypto';
import type { Change } from '../../engine/change.ts';
import { type Command, script, write } from '../../engine/command.ts';
import { InputError } from '../../engine/errors.ts';
import type { Secret } from '../../engine/secret.ts';
import { shellProgram } from '../../shell/program.ts';
import { formerOf } from '../former.ts';
import { planFile } from '../managed-file.ts';
import { paths, UNIT } from './files.ts';
import type { NodeFacts } from './node.ts';
import { startNode } from './start.ts';

/** The cookie is changed while the node is stopped: whenever a run ends early, node and file agree. Its mode and owner alone need no stop. */
export function planCookie({ cookie, active }: NodeFacts, desired: Secret | undefined): Change[] {
  if (desired === undefined) return [];
  const value = desired.reveal();
  if (!/^[!-~]{1,255}$/.test(value)) {
    throw new InputError('the secret erlangCookie must be 1 to 255 printable ASCII characters without blanks: Erlang takes no other', {
      next: 'for instance: openssl rand -hex 32',
    });
  }
  if (/^[A-Z]{20}$/.test(value)) {
    throw new InputError('the secret erlangCookie is 20 capitals, as Erlang makes them: Debian replaces such a cookie at each upgrade', {
      next: 'for instance: openssl rand -hex 32',
    });
  }
  const same = cookie?.sha256 === createHash('sha256').update(value).digest('hex');
  const file = { kind: 'file', path: paths.cookie, content: desired, mode: '0400', owner: 'rabbitmq:rabbitmq' } as const;
  const [change] = planFile(file, cookie === null ? null : { kind: 'file', mode: cookie.mode, owner: cookie.owner, same }, { show });
  if (change === undefined || same) return change === undefined ? [] : [change];
  const stop = write(['systemctl', 'stop', UNIT]);
  return [
    {
      ...change,
      impact: 'restart',
      commands: [...(active === 'inactive' || active === 'failed' ? [] : [stop]), ...change.commands],
      undo: [stop, putBack(cookie)],
      afterUndo: [startNode('start')],
    },
  ];
}

function show(): Pick<Change, 'before' | 'after' | 'because'> {
  return { before: '(secret, differs)', after: '(secret)', because: 'the cookie is not the one of the settings' };
}

/** Only the cookie that was looked at is put back: where the change was not begun, an older one may lie there. */
function putBack(cookie: NodeFacts['cookie']): Command {
  if (cookie === null) return write(['rm', '-f', paths.cookie]);
  return script(
    'write',
    shellProgram(import.meta.url, 'put-back-cookie.sh'),
    [paths.cookie, formerOf(paths.cookie), cookie.mode, cookie.owner],
    {
      stdin: `${cookie.sha256}\n`,
    },
  );
}
