# shellcheck shell=sh
# COOKIE FORMER MODE OWNER: puts the former cookie back, if it is the one whose digest is on stdin.

read -r digest; digest() { tr -d '\n' <"$1" | sha256sum | cut -c 1-64; }
if [ -e "$2" ] && [ "$(digest "$2")" = "$digest" ]; then
  umask 077; cp "$2" "$1.mooring-new"; chown "$4" "$1.mooring-new"; chmod "$3" "$1.mooring-new"; mv -f "$1.mooring-new" "$1"
fi
[ "$(digest "$1")" = "$digest" ] || { echo 'the former Erlang cookie is not there any more' >&2; exit 1; }
