# shellcheck shell=sh
# A part of deploy_app.sh (script.ts), which sets its constants; this comment is not in it.
# What people call, and what nx-mooring calls.
#
# shellcheck disable=SC2154,SC2034 # what other parts set and use
# shellcheck disable=SC2164 # errexit is set

facts() {
  printf 'current\t%s\n' "$(live)"
  for id in $(each_release); do
    printf 'release\t%s\t%s\t%s\t%s\t%s\n' "$id" "$(recall "$id" commit)" "$(state "$id")" "$(recall "$id" before)" "$(recall "$id" good)"
  done
}

# deploy [COMMIT]
deploy() {
  commit=${1:-$(head_of_branch)}
  case $commit in *[!0-9a-f]*) die "no commit: $commit" ;; esac
  [ ${#commit} = 40 ] || die "a commit is given with all of its 40 digits: $commit"
  now=$(live)
  if [ "$(recall "$now" commit)" = "$commit" ] && [ "$(state "$now")" = good ]; then
    say "$commit is live already (release $now)"
    return 0
  fi
  id=
  for one in $(each_release); do
    if [ "$(recall "$one" commit)" = "$commit" ]; then
      case $(state "$one") in built | activating | good) id=$one ;; esac
    fi
  done
  if [ -z "$id" ]; then
    until [ -n "$id" ] && [ ! -e "$RELEASES/$id" ]; do
      [ -z "$id" ] || sleep 1
      id=$(date -u +%Y%m%dT%H%M%SZ)-$(printf '%.12s' "$commit")
    done
    say "building release $id"
    build "$id" "$commit"
  fi
  say 'migrating'
  migrate "$id"
  activate "$id"
}

# rollback [RELEASE]
rollback() {
  now=$(live)
  to=${1:-$(recall "$now" before)}
  [ -n "$to" ] || die 'no release was live before this one; name one: deploy_app.sh rollback RELEASE'
  known "$to"
  noted "$to" good || die "release $to was never good"
  activate "$to"
}

status() {
  now=$(live)
  for id in $(each_release); do
    mark=' '
    [ "$id" != "$now" ] || mark='*'
    printf '%s %s %-10s %s\n' "$mark" "$id" "$(state "$id")" "$(recall "$id" commit)"
  done
}

usage() {
  cat <<END
deploy_app.sh              builds the newest commit of $BRANCH, migrates, makes it live; goes back if it is not healthy
deploy_app.sh deploy SHA   the same with another commit of the branch
deploy_app.sh rollback     makes the release live that was live before; migrations are not undone
deploy_app.sh rollback ID  makes another good release live
deploy_app.sh status       the releases; the live one has a star
deploy_app.sh health       what the health check says; health SECONDS waits so long for it to be good
END
}

verb=${1:-deploy}
case $verb in
  help | --help | -h) usage; exit 0 ;;
  facts) facts; exit 0 ;;
  status) status; exit 0 ;;
  health)
    problem='' code='' body=''
    if [ $# -gt 1 ]; then healthy "$2"; else probe 5; fi || die "$problem"
    say "$code $body"
    exit 0
    ;;
  head | deploy | rollback | step) ;;
  *) usage >&2; exit 2 ;;
esac
if [ "$(id -u)" = 0 ]; then
  exec setpriv "--reuid=$RUN_AS" "--regid=$RUN_AS" --init-groups env -i "HOME=$RUN_HOME" "USER=$RUN_AS" "PATH=$PATH" "$SELF" "$@"
fi
[ "$(id -un)" = "$RUN_AS" ] || die "run this as $RUN_AS or as root"
umask 027
cd "$APP"
if [ "$verb" = head ]; then head_of_branch; exit 0; fi
if [ -z "${MOORING_LOCKED:-}" ]; then
  # The lock is held by flock alone, not by what is started and may stay.
  # A step may follow one whose connection was lost, and which goes on.
  code=0 wait=10
  [ "$verb" != step ] || wait=120
  MOORING_LOCKED=1 flock --close -w "$wait" -E 75 "$DEPLOY/lock" "$SELF" "$@" || code=$?
  [ "$code" != 75 ] || say 'another deploy is at work on this guest' >&2
  exit "$code"
fi
[ $# = 0 ] || shift
case $verb in
  deploy) deploy "$@" ;;
  rollback) rollback "$@" ;;
  step)
    step=$1
    shift
    case $step in
      build) build "$1" "$2" ;;
      migrate) migrate "$1" ;;
      activate) activate "$1" ;;
      prune) for id; do remove "$id"; done ;;
      *) die "no step: $step" ;;
    esac
    ;;
esac
