# shellcheck shell=sh
# HEADER: starts a server of the cluster's major on a new, empty cluster, with all files that the live one would be started with: its
# postgresql.conf and conf.d, the two files of ours that are tried (on stdin, one after the other, each begins with HEADER), and what ALTER
# SYSTEM has set, less what hides ours, since the plan takes that out. Once the server takes connections, one is made, which is what loads
# session_preload_libraries; then it ends.
#
# `postgres -C` alone would not do: it takes values that a start refuses. It is asked how much memory the server would use, though. What is
# not there until it is used (the pages of shared_buffers) is not found missing by a start, but by the OOM killer, later.
#
# A failure that the sandbox itself makes is no refusal.

header=$1
for etc in /etc/postgresql/*/main; do :; done
major=${etc%/main}; major=${major##*/}; bin=/usr/lib/postgresql/$major/bin
[ -x "$bin/initdb" ] || { echo 'there is no server yet' >&2; exit 1; }
mkdir etc; : >log
for file in "$etc"/*; do [ -e "$file" ] || continue; case ${file##*/} in pg_hba.conf|pg_ident.conf) ;; *) cp -rL "$file" etc/ ;; esac; done
mkdir -p etc/conf.d
awk -v header="$header" '$0 == header { n++ } { print > (n == 1 ? "etc/conf.d/90-mooring.conf" : "etc/pg_hba.conf") }'
: >etc/pg_ident.conf
export TZ=UTC LC_ALL=C
"$bin/initdb" -D data -A trust -E UTF8 --locale C -T english --no-sync --no-instructions >initdb.log 2>&1 || { tail -n 3 initdb.log >&2; exit 1; }
auto=${CREDENTIALS_DIRECTORY-}/postgresql.auto.conf
[ ! -e "$auto" ] || awk 'NR == FNR { ours[tolower($1)]; next } !(tolower($1) in ours)' etc/conf.d/90-mooring.conf "$auto" >>data/postgresql.auto.conf

# On its command line a value outranks every file (manual, "Parameter Interaction via the Command Line"): its own places, one loopback address,
# nothing that would be archived, fetched or replicated, its log on stderr in plain English, no key files, which are not for every user, and
# no huge pages, which the live server has.
server() {
  exec "$bin/postgres" \
    -c "config_file=$PWD/etc/postgresql.conf" \
    -c "hba_file=$PWD/etc/pg_hba.conf" \
    -c "ident_file=$PWD/etc/pg_ident.conf" \
    -c "data_directory=$PWD/data" \
    -c "unix_socket_directories=$PWD" \
    -c "external_pid_file=$PWD/pid" \
    -c "listen_addresses=127.0.0.1" \
    -c "ssl=off" \
    -c "huge_pages=off" \
    -c "dynamic_shared_memory_type=mmap" \
    -c "fsync=off" \
    -c "autovacuum=off" \
    -c "archive_command=" \
    -c "archive_library=" \
    -c "archive_cleanup_command=" \
    -c "restore_command=" \
    -c "recovery_end_command=" \
    -c "primary_conninfo=" \
    -c "primary_slot_name=" \
    -c "logging_collector=off" \
    -c "log_destination=stderr" \
    -c "log_line_prefix=" \
    -c "log_min_messages=warning" \
    -c "lc_messages=C" \
    "$@"
}
refused() {
  code=65
  ! grep -qE 'Permission denied|Operation not permitted|Read-only file system|No space left on device' log || code=1
  [ "$(cat /proc/sys/vm/overcommit_memory)" != 2 ] || ! grep -q 'Cannot allocate memory' log || code=1
  grep -vE '^LOG:  (starting PostgreSQL|listening on|database system|received|skipping missing)' log | sed "s#$PWD/etc#$etc#g; s#$PWD/data#/var/lib/postgresql/$major/main#g; s#^postgres: ##" >&2
  exit "$code"
}
needs=$(server -C shared_memory_size 2>>log) || refused
has=$((TRIAL_MEMORY_KB / 1024))
if [ "$needs" -gt "$has" ]; then
  echo "the server would use $needs MB of shared memory, and the container has $has MB" >&2; exit 65
fi

server 2>>log & pid=$!
until [ "$(sed -n '8s/ *$//p' data/postmaster.pid 2>/dev/null)" = ready ]; do
  kill -0 "$pid" 2>/dev/null || { code=0; wait "$pid" || code=$?; [ "$code" -lt 128 ] || { echo "it was killed (exit code $code)" >&2; exit 1; }; refused; }
  sleep 0.02
done
"$bin/psql" -X -w -q -h "$PWD" -p "$(sed -n 4p data/postmaster.pid)" -d postgres -c '' >/dev/null 2>&1 || { grep -q FATAL log || exit 1; refused; }
kill -QUIT "$pid"; wait "$pid" || true
