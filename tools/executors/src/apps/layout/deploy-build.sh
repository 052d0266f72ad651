# shellcheck shell=sh
# A part of deploy_app.sh (script.ts), which sets its constants; this comment is not in it.
# Builds a release, migrates, takes a release away.
#
# shellcheck disable=SC2154,SC2034 # what other parts set and use
# shellcheck disable=SC2164 # errexit is set

# build RELEASE COMMIT
build() {
  named "$1"
  for one in $(each_release); do noted "$one" built || remove "$one"; done
  [ ! -e "$RELEASES/$1" ] || die "release $1 is there already"
  fetch "$2"
  mkdir -p "$RELEASES/$1/.mooring-release"
  note "$1" commit "$2"
  check_out "$2" "$RELEASES/$1"
  # In a shell of its own, so that its variables stay there.
  (
    if [ -e "$BUILD_ENV" ]; then load "$BUILD_ENV"; fi
    build_app "$RELEASES/$1"
  ) </dev/null
  for folder in $FOLDERS; do [ -d "$RELEASES/$1/$folder" ] || die "commit $2 has no folder $folder"; done
  sync -f "$RELEASES/$1"
  note "$1" built "$(date +%s)"
}

# migrate RELEASE
migrate() {
  known "$1"
  noted "$1" built || die "release $1 is not whole"
  # The shell would not stop at a failure inside a condition.
  set +e
  (
    set -e
    load "$ENV_FILE"
    migrate_app "$RELEASES/$1"
  ) </dev/null
  code=$?
  set -e
  [ "$code" != 0 ] || return 0
  noted "$1" good || note "$1" failed 'its migration failed'
  now=$(live)
  die "the migration of release $1 failed with exit code $code (its output is above)" \
    "nothing was switched: ${now:-no release} is live; the release is kept in $RELEASES/$1"
}

# remove RELEASE
remove() {
  named "$1"
  [ "$1" != "$(live)" ] || die "release $1 is live"
  [ -d "$RELEASES/$1" ] || return 0
  # First what makes it a target.
  forget "$1" built
  chmod -R u+rwX "$RELEASES/$1"
  rm -rf "${RELEASES:?}/$1"
}
