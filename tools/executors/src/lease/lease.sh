# shellcheck shell=sh
# The lease of an environment, in its folder on the host.
#
#   acquire FOLDER RUN START TAKE SECONDS   START is the lease's text up to its times, TAKE the run it may be taken from
#   renew FOLDER RUN SECONDS
#   release FOLDER RUN

verb=$1 folder=$2 run=$3
shift 3

umask 077
mkdir -p "$folder"
# The lock is on the folder: it is there before the lease is, and a lock file of its own could be removed by hand.
exec 9<"$folder"
flock -w 10 9 || { echo "another process keeps $folder locked" >&2; exit 74; }
now=$(date +%s)
old=
if [ -e "$folder/lease" ]; then old=$(cat "$folder/lease"); fi

# We write this text ourselves, always in this order; a quote in a value is escaped, so that no value can look like a key.
is_of() { case $old in '{"runId":"'"$1"'",'*) ;; *) return 1 ;; esac; }
understand() {
  expires=${old##*'"expires":'}
  expires=${expires%\}}
  since=${old##*'"since":'}
  since=${since%%,*}
  case $since$expires in
    *[!0-9]* | '')
      echo "not a lease: $old" >&2
      exit 65
      ;;
  esac
}
put() {
  printf '%s\n' "$1" >"$folder/lease.new"
  mv -f "$folder/lease.new" "$folder/lease"
}

# Exits with 75 when another run holds it.
acquire() {
  state=granted
  if [ -n "$old" ]; then
    understand
    if is_of "$run"; then state=renewed
    elif [ "$expires" -le "$now" ]; then state=expired
    elif is_of "$2"; then state=taken
    else
      printf 'held %s\n%s\n' "$now" "$old"
      exit 75
    fi
  fi
  [ "$state" = renewed ] || since=$now
  new="$1,\"since\":$since,\"expires\":$((now + $3))}"
  put "$new"
  printf '%s %s\n%s\n%s\n' "$state" "$now" "$new" "$old"
}

renew() {
  if is_of "$run"; then
    understand
    put "${old%,\"expires\":*},\"expires\":$((now + $1))}"
    echo renewed
  elif [ -z "$old" ]; then echo gone
  else printf 'lost\n%s\n' "$old"; fi
}

release() {
  if is_of "$run"; then rm -f "$folder/lease"; fi
}

"$verb" "$@"
