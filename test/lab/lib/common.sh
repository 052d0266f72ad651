# shellcheck shell=bash
# Output, errors, the lock, and what this machine is.

STARTED=${EPOCHREALTIME/./}
NOTE=''
STEP=''

seconds_since() {
  local us=$((${EPOCHREALTIME/./} - $1))
  printf '%d.%d' $((us / 1000000)) $((us / 100000 % 10))
}

# step TITLE FUNCTION ARG… runs the function and prints one line with what it took; the function says more in NOTE.
step() {
  local began=${EPOCHREALTIME/./}
  STEP=$1
  NOTE=''
  "${@:2}"
  printf '  %6s s  %-18s %s\n' "$(seconds_since "$began")" "$1" "$NOTE"
  STEP=''
}

announce() { printf '            %s …\n' "$*"; }
say_total() { printf '  %6s s  in all\n' "$(seconds_since "$STARTED")"; }

# fail WHAT [NEXT COMMAND]
fail() {
  trap - ERR
  printf 'lab: %s\n' "$1" >&2
  [ -z "${2:-}" ] || printf 'Next: %s\n' "$2" >&2
  exit 1
}

unexpected() {
  local code=$? line=$1 command=$2
  trap - ERR
  # SIGPIPE: nobody reads on, as in `lab.sh status | head`.
  [ "$code" -ne 141 ] || exit 141
  printf 'lab: %s failed with exit code %s (line %s: %s)\nNext: look into %s/log, then run the same command again\n' \
    "${STEP:-the lab}" "$code" "$line" "$command" "$LAB" >&2
  exit 1
}
trap 'unexpected "$LINENO" "$BASH_COMMAND"' ERR

need_root() {
  [ "$(id -u)" = 0 ] || fail "'$1' needs root: it installs packages and starts Incus" "sudo -E $HERE/lab.sh $1"
}

take_lock() {
  mkdir -p /run/lock
  exec 9>/run/lock/mooring-lab
  flock -n 9 && return
  announce 'another lab command is running; waiting for it'
  flock -w 900 9 || fail 'another lab command has been running for 15 minutes' 'test/lab/lab.sh status'
}

know_machine() {
  # shellcheck source=/dev/null
  SUITE=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  APT_SOURCES='' APT_OPTIONS=''
  case $SUITE in
    bookworm | trixie) ;;
    *) fail "the lab knows Debian 12 (bookworm) and 13 (trixie), not '${SUITE:-this system}'" 'use one of these, or point an environment file at an Incus host of your own' ;;
  esac
  SYSTEMD=0
  [ ! -d /run/systemd/system ] || SYSTEMD=1
  # Another user's remote, project or socket must never be what the lab works on.
  unset INCUS_SOCKET INCUS_DIR
  INCUS_CONF=$(mktemp -d)
  trap 'rm -rf "$INCUS_CONF"' EXIT
  export INCUS_CONF INCUS_REMOTE='local' INCUS_PROJECT=default
}

make_state_folder() {
  [ -d "$LAB/log" ] && return
  mkdir -p "$LAB"
  chmod 0700 "$LAB"
  mkdir -p "$LAB"/{log,run,ssh}
}

suites() { printf '%s\n' "${MOORING_LAB_SUITES:-$SUITE}"; }
debian_number() { case $1 in bookworm) echo 12 ;; trixie) echo 13 ;; *) fail "unknown suite: $1" "MOORING_LAB_SUITES='bookworm trixie' test/lab/lab.sh up" ;; esac; }

make_secrets() {
  # Why not, it says itself.
  node "$HERE/secrets.mjs" "$1" --workspace "$WORKSPACE" --lab "$LAB" >"$LAB/log/secrets.log" || exit 1
  NOTE=$(tail -n 1 "$LAB/log/secrets.log")
}
