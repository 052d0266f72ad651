import type { Fact } from '../../engine/fact.ts';
import { REFUSED, type Trial, trial } from '../trial.ts';
import { COMPLAINTS, UNIT } from './changes.ts';
import { CONF_PATH, desiredParameters, renderConf } from './conf.ts';
import { HIDDEN, UNTRIED } from './parameters.ts';
import type { RedisSettings } from './settings.ts';
import { say } from './words.ts';

const PASSWORD = 'trial';
const VALUES = 'nx-mooring:values';

/**
 * `$1` names that the copy leaves out, `$2` the unit, whose limit of open files is the one of the connections too. The copy has a password of
 * its own, so that no message of Redis can quote the real one; what is hidden of the others is not printed. A server that ends while it reads
 * its file, or its users, refuses it; one that ends of anything else says nothing of the file. A limit that is smaller than what an empty
 * server takes is refused too: it would let nobody write.
 */
const TRY = `sed -E "/^tls-[a-z-]*-pass /!s/^$1 .*/#/" >redis.conf
files=$(cat /lib/systemd/system/$2.service /etc/systemd/system/$2.service.d/*.conf 2>/dev/null | sed -n 's/^LimitNOFILE=//p' | tail -n 1)
ulimit -n "$files" 2>/dev/null || true
redis-server ./redis.conf --port 0 --unixsocket "$PWD/socket" --requirepass ${PASSWORD} --appendonly no \\
  --daemonize no --supervised no --syslog-enabled no --logfile "$PWD/log" >started 2>&1 &
server=$!
trap 'kill -KILL "$server" 2>/dev/null || true' EXIT
ask() { printf '%s\\n' '${say('AUTH', PASSWORD)}' "$@" | redis-cli -s ./socket 2>&1; }
until ask '${say('PING')}' | grep -qx PONG; do
  if ! kill -0 "$server" 2>/dev/null; then
    cat started log 2>/dev/null | ${COMPLAINTS} | tail -n 6 >&2
    if grep -q -e 'FATAL CONFIG FILE ERROR' -e 'error while loading ACLs' started log; then exit ${REFUSED}; fi
    exit 1
  fi
  sleep 0.02
done
written=$(ask '${say('SETRANGE', 'nx-mooring', '0', '""')}' | sed -n 2p)
case $written in OOM*) echo "an empty server takes more than maxmemory: $written" >&2; exit ${REFUSED} ;; esac
ask '${say('ECHO', VALUES)}' '${say('CONFIG', 'GET', '*')}' | sed -E '/^${HIDDEN}$/{N;d}'`;

/** Whether Redis starts from the file: an empty server on a socket, in a folder of its own. It prints how it spells every value. */
export function trialOfConf(settings: RedisSettings): Fact<Trial> {
  return trial({
    name: `trial of ${CONF_PATH}`,
    path: CONF_PATH,
    content: renderConf(desiredParameters(settings)),
    program: TRY,
    parameters: [UNTRIED, UNIT],
    seconds: 10,
    ports: { unit: `${UNIT}.service` },
  });
}

/** How Redis spells the values that it was tried with, defaults included. */
export function spelled(said: string): Readonly<Record<string, string>> {
  const lines = said.split('\n');
  const start = lines.indexOf(VALUES) + 1;
  const pairs = start === 0 ? [] : lines.slice(start);
  return Object.fromEntries(pairs.flatMap((name, i) => (i % 2 === 0 && name !== '' ? [[name, pairs[i + 1] ?? '']] : [])));
}
