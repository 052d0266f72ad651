# shellcheck shell=sh
# UNTRIED UNIT COMPLAINTS HIDDEN: the names that the copy leaves out; the unit, whose limit of open files is the one of the connections too; a
# filter of what Redis complains of; the names whose values are not printed. stdin is the content.
#
# The copy has a password of its own, so that no message of Redis can quote the real one. A server that ends while it reads its file, or its
# users, refuses it; one that ends of anything else says nothing of the file. A limit that is smaller than what an empty server takes is
# refused too: it would let nobody write. Each command is one of words.ts.
# shellcheck disable=SC2086 # a name of ours
# shellcheck disable=SC3045 # dash and busybox know ulimit -n

sed -E "/^tls-[a-z-]*-pass /!s/^$1 .*/#/" >redis.conf
files=$(cat /lib/systemd/system/$2.service /etc/systemd/system/$2.service.d/*.conf 2>/dev/null | sed -n 's/^LimitNOFILE=//p' | tail -n 1)
ulimit -n "$files" 2>/dev/null || true
redis-server ./redis.conf --port 0 --unixsocket "$PWD/socket" --requirepass trial --appendonly no \
  --daemonize no --supervised no --syslog-enabled no --logfile "$PWD/log" >started 2>&1 &
server=$!
trap 'kill -KILL "$server" 2>/dev/null || true' EXIT
ask() { printf '%s\n' 'AUTH trial' "$@" | redis-cli -s ./socket 2>&1; }
until ask 'PING' | grep -qx PONG; do
  if ! kill -0 "$server" 2>/dev/null; then
    cat started log 2>/dev/null | sh -c "$3" | tail -n 6 >&2
    if grep -q -e 'FATAL CONFIG FILE ERROR' -e 'error while loading ACLs' started log; then exit 65; fi
    exit 1
  fi
  sleep 0.02
done
written=$(ask 'SETRANGE nx-mooring 0 ""' | sed -n 2p)
case $written in OOM*) echo "an empty server takes more than maxmemory: $written" >&2; exit 65 ;; esac
ask 'ECHO nx-mooring:values' 'CONFIG GET *' | sed -E "/^$4\$/{N;d}"
