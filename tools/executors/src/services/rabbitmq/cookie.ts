import { createHash } from 'node:crypto';
import type { Change } from '../../engine/change.ts';
import { type Command, script, write, writeFile } from '../../engine/command.ts';
import { InputError } from '../../engine/errors.ts';
import type { Secret } from '../../engine/secret.ts';
import { shellProgram } from '../../shell/program.ts';
import { paths, UNIT } from './files.ts';
import type { NodeFacts } from './node.ts';
import { startNode } from './start.ts';

const OWNER = 'rabbitmq:rabbitmq';
/** Where the former cookie waits until the container ends: in memory, for root alone. No fact has it. */
const FORMER = '/run/mooring-former-erlang.cookie';

/** The cookie is changed while the node is stopped: whenever a run ends early, node and file agree. */
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
  if (same && cookie.mode === '400' && cookie.owner === OWNER) return [];
  const stop = write(['systemctl', 'stop', UNIT]);
  return [
    {
      resource: `file ${paths.cookie}`,
      action: cookie === null ? 'create' : 'update',
      ...(cookie === null ? {} : { before: same ? `${cookie.mode} ${cookie.owner}` : '(secret, differs)' }),
      after: same ? `400 ${OWNER}` : '(secret)',
      impact: 'restart',
      because: 'the cookie is not the one of the settings',
      commands: [
        ...(active === 'inactive' || active === 'failed' ? [] : [stop]),
        ...(cookie === null ? [] : [keepFormer()]),
        writeFile({ path: paths.cookie, content: desired, mode: '0400', owner: OWNER }),
      ],
      undo: [stop, putBack(cookie)],
      afterUndo: [startNode('start')],
    },
  ];
}

function keepFormer(): Command {
  return script('write', 'umask 077; cp "$1" "$2.new"; chmod 0400 "$2.new"; mv -f "$2.new" "$2"', [paths.cookie, FORMER]);
}

/** Only the cookie that was looked at is put back: where the change was not begun, an older one may lie there. */
function putBack(cookie: NodeFacts['cookie']): Command {
  if (cookie === null) return write(['rm', '-f', paths.cookie]);
  return script('write', shellProgram(import.meta.url, 'put-back-cookie.sh'), [paths.cookie, FORMER, cookie.mode, cookie.owner], {
    stdin: `${cookie.sha256}\n`,
  });
}
