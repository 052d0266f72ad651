# shellcheck shell=sh
# UNIT SQL LOG PSQL …: has the server read its files again, and waits until it says that it did. SQL has a %s for the time of that.

unit=$1 sql=$2 log=$3 tries=100; shift 3
from=$(wc -c <"$log" 2>/dev/null) || from=0
since=$(date +%s.%N); systemctl reload "$unit"
while :; do
  # shellcheck disable=SC2059
  said=$(printf "$sql" "$since" | "$@")
  case $said in
    '') said=$(tail -c "+$((from + 1))" "$log" 2>/dev/null | grep -B 3 'was not reloaded') || exit 0; break ;;
    unread*) ;;
    *) break ;;
  esac
  tries=$((tries - 1)); [ "$tries" -gt 0 ] || { said="the server has not read its files again${said#unread}"; break; }
  sleep 0.1
done
printf '%s\n' "$said" >&2; exit 1
