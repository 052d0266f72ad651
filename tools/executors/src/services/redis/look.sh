# shellcheck shell=sh
# CONF MARK PIDFILE: asks the running server; stdin is what redis.conf should be. A CONFIG SET that also names a parameter that does not exist sets
# nothing, and its error tells which name it stumbled over first (config.c, configSetCommand): one that only a restart changes, or the one
# that does not exist. What may be a password is not asked for. Each command is one of words.ts.
# shellcheck disable=SC3013 # dash and busybox know -nt

conf=$1; wanted=$(cat; echo .); now=$(cat "$conf"; echo .); wanted=${wanted%.} now=${now%.}
if [ "$2" -nt "$3" ]; then echo restart-wanted; fi
port=6379 names='' asks=''
look() {
  auth=
  while read -r name value; do
    case $name in
      ''|*[!a-z0-9_.-]*|masterauth|*-pass) continue ;;
      requirepass) auth="AUTH $value"; continue ;;
      port) [ "$look" = wanted ] || port=$value ;;
    esac
    case " $names " in *" $name "*) continue ;; esac
    names="$names $name" asks="$asks
CONFIG SET $name ? nx-mooring ?"
  done
}
look=now; look <<.
$now
.
own=$auth look=wanted; look <<.
$wanted
.
[ "$now" != "$wanted" ] || asks=
asks="INFO keyspace
INFO clients
INFO memory$asks"
printf '%s\n' ${own:+"$own"} "ECHO nx-mooring:file" "$auth" "ECHO nx-mooring:settings" "CONFIG GET$names" "ECHO nx-mooring:values" "$asks" |
  redis-cli -p "$port"
