import { script } from '../../engine/command.ts';
import { psql } from './psql.ts';

/** A checkpoint, if there is a server to make one: an absent or stopped one has nothing in memory. */
export const checkpoint = script(
  'write',
  `code=0; "$@" || code=$?
case $code in 2|69) echo 'no server runs, so there is nothing to write out' ;; *) exit "$code" ;; esac`,
  psql('write', '', 1).argv,
  { stdin: 'CHECKPOINT;\n', timeoutMs: 60_000 },
);
