# shellcheck shell=sh
# Sets version, port and socket of the server that runs. Where it listens is read from its postmaster.pid, since it may still run with a port
# that the settings have left behind.
#
# shellcheck disable=SC2034 # what comes after it uses

for cluster in /etc/postgresql/*/main; do :; done
version=${cluster%/main}; version=${version##*/}
pid=/var/lib/postgresql/$version/main/postmaster.pid
if ! [ -e "$pid" ]; then echo 'the server is not running' >&2; exit 69; fi
{ read -r _; read -r _; read -r _; read -r port; read -r socket; } <"$pid" || exit 69
