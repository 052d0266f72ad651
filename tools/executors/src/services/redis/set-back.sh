# shellcheck shell=sh
# UNIT PORT …: tells the server what is on stdin, on the port that it listens on. A server that does not run has nothing to set back.

ask=$(cat) unit=$1; shift
for port in "$@"; do
  reply=$(printf '%s\n' "$ask" | redis-cli -p "$port" 2>&1) || true
  case $reply in
    *'Could not connect'*) continue ;;
    # The former file is back by now: a start reads it.
    *'max number of clients'*) systemctl restart "$unit"; exit 0 ;;
  esac
  [ "$(printf '%s\n' "$reply" | sed '/^$/d' | tail -n 1)" = OK ] || { printf '%s\n' "$reply" >&2; exit 1; }
  # What listens on the other port is not Redis then.
  exit 0
done
