# shellcheck shell=sh
# PORT: waits until the append-only file is written anew. What is asked is on stdin.

ask=$(cat); seconds=600
while info=$(printf '%s\n' "$ask" | redis-cli -p "$1" | tr -d '\r'); do
  printf '%s\n' "$info" | grep -qx -e aof_rewrite_in_progress:1 -e aof_rewrite_scheduled:1 || break
  [ "$seconds" -gt 0 ] || { echo 'the append-only file is still being written after 10 minutes' >&2; exit 1; }
  seconds=$((seconds - 1)); sleep 1
done
printf '%s\n' "$info" | grep -qx aof_last_bgrewrite_status:ok || { echo 'the append-only file could not be written' >&2; exit 1; }
