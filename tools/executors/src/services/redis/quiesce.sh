# shellcheck shell=sh
# CONF PORT: waits until the append-only file is on the disk. What is asked is on stdin.

conf=$1 ask=$(cat)
of() { sed -n "s/^$1 //p" "$conf" 2>/dev/null | tail -n 1; }
port=$(of port); own=$(of requirepass)
while :; do
  info=$(printf '%s\n' ${own:+"AUTH $own"} "$ask" | redis-cli -p "${port:-$2}" 2>&1 | tr -d '\r')
  case $info in
    *'Connection refused'*) echo 'no server runs, so there is nothing to write out'; exit 0 ;;
    *aof_enabled:1*) ;;
    *aof_enabled:0*) echo 'there is no append-only file: the snapshot has what the last dump had' >&2; exit 1 ;;
    *) echo "redis did not tell of its append-only file: $(printf '%s\n' "$info" | tail -n 1 | cut -c 1-200)" >&2; exit 1 ;;
  esac
  case $info in *aof_last_write_status:ok*) ;; *) echo 'the append-only file could not be written' >&2; exit 1 ;; esac
  case $info in *aof_pending_bio_fsync:0*) exit 0 ;; esac
  sleep 0.05
done
