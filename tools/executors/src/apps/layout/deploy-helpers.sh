# shellcheck shell=sh
# A part of deploy_app.sh (script.ts), which sets its constants; this comment is not in it.
# What is the same for all applications. A release's folder holds in .mooring-release what is known of it, a file each: commit; before (the
# release that was live when it first became so); built; activating (holds the release to go back to); good (holds since when); failed (holds
# why). Each is written in one step, so that a run that is killed anywhere leaves a state that the next one knows.
#
# shellcheck disable=SC2154,SC2034 # what other parts set and use
# shellcheck disable=SC2164 # errexit is set

NL='
'
say() { printf '%s\n' "$@"; }
die() { printf '%s\n' "$@" >&2; exit 1; }

# note RELEASE NAME TEXT: writes down what is known of a release.
note() {
  printf '%s\n' "$3" >"$RELEASES/$1/.mooring-release/$2.new"
  mv -f "$RELEASES/$1/.mooring-release/$2.new" "$RELEASES/$1/.mooring-release/$2"
}
forget() { rm -f "$RELEASES/$1/.mooring-release/$2"; }
noted() { [ -n "$1" ] && [ -e "$RELEASES/$1/.mooring-release/$2" ]; }
recall() { if noted "$1" "$2"; then cat "$RELEASES/$1/.mooring-release/$2"; fi; }

live() {
  target=$(readlink "$CURRENT" 2>/dev/null) || return 0
  say "${target##*/}"
}
state() {
  if ! noted "$1" built; then say building
  elif noted "$1" failed; then say failed
  elif noted "$1" activating; then say activating
  elif noted "$1" good; then say good
  else say built; fi
}
named() { case $1 in '' | */* | .*) die "no release: $1" ;; esac; }
known() {
  named "$1"
  [ -d "$RELEASES/$1" ] || die "there is no release $1"
}
each_release() {
  for path in "$RELEASES"/*/; do
    path=${path%/}
    [ ! -d "$path" ] || say "${path##*/}"
  done
}

# within RELEASE FOLDER: into a folder of the release, its own programs first in PATH.
within() {
  cd "$1/$2"
  HOME=$RUN_HOME PATH=$PWD/.venv/bin:$PWD/node_modules/.bin:/usr/local/bin:/usr/bin:/bin
  export HOME PATH
}
# load FILE: the variables of an environment file. Its quoting is systemd's and the shell's.
load() {
  set -a
  # shellcheck source=/dev/null
  . "$1"
  set +a
}
