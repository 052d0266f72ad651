# shellcheck shell=sh
# A part of deploy_app.sh (script.ts), which sets its constants; this comment is not in it.
# Makes a release live. Everything from the switch to the health check, and the way back, is one process on the guest: a connection that is
# lost, or an nx that is killed, leaves no unhealthy release live.
#
# shellcheck disable=SC2154,SC2034 # what other parts set and use
# shellcheck disable=SC2164 # errexit is set

systemctl_() { sudo -n /usr/bin/systemctl "$@"; }
switch() {
  ln -sfn "releases/$1" "$CURRENT.new"
  mv -fT "$CURRENT.new" "$CURRENT"
}
restart() {
  problem='its units did not start'
  # A unit that ended too often before is not started again, whatever it would start now.
  # shellcheck disable=SC2086 # a list
  systemctl_ reset-failed $UNITS
  # shellcheck disable=SC2086 # a list
  systemctl_ restart $UNITS
}
logs() {
  for unit in $UNITS; do systemctl_ status "$unit" --no-pager --lines=12 | sed '1,/^$/d' || true; done
}

# activate RELEASE: makes it live. If it is not healthy, the one that was live before is made live again.
activate() {
  known "$1"
  noted "$1" built || die "release $1 is not whole"
  ! noted "$1" failed || die "release $1 failed before: $(recall "$1" failed)"
  back=$(go_back_to "$1")
  if [ -n "$back" ] && ! noted "$1" before && ! noted "$1" good; then note "$1" before "$back"; fi
  note "$1" activating "$back"
  switch "$1"
  if restart && healthy "$HEALTH_SECONDS"; then
    note "$1" good "$(date +%s)"
    forget "$1" activating
    say "release $1 is live; $HEALTH_URL answers $code"
    return 0
  fi
  why=$problem
  logs >&2
  if [ -n "$back" ]; then go_back "$1" "$back" "$why"; else give_up "$1" "$why"; fi
}

# The release that was live and good when this one is made live; after an activation that was killed, the one that it knew.
go_back_to() {
  now=$(live)
  if noted "$1" activating; then to=$(recall "$1" activating)
  elif noted "$now" activating; then to=$(recall "$now" activating)
  else to=; fi
  # Nothing is written where the way back itself was killed: then it is the one that was gone back to.
  [ -n "$to" ] || to=$now
  if [ "$to" = "$1" ] || ! noted "$to" good || ! noted "$to" built; then to=; fi
  say "$to"
}

# go_back FROM TO WHY
go_back() {
  # Marked before the switch: if this is killed, the next run knows that what runs may still be the other one.
  note "$2" activating ''
  switch "$2"
  if restart && healthy "$HEALTH_SECONDS"; then
    settle "$1" "$3"
    forget "$2" activating
    die "release $1 is not healthy: $3" "release $2 is live again and healthy; the other one is kept in $RELEASES/$1"
  fi
  settle "$1" "$3"
  die "release $1 is not healthy: $3" "release $2 is live again, but it is not healthy either: $problem"
}

# give_up RELEASE WHY
give_up() {
  # shellcheck disable=SC2086 # a list
  systemctl_ stop $UNITS
  rm -f "$CURRENT"
  settle "$1" "$2"
  die "release $1 is not healthy: $2" "no release was live before it, so none is live now; it is kept in $RELEASES/$1"
}

# settle RELEASE WHY: it is not live any more. One that was good once stays a target: what failed may have been around it.
settle() {
  noted "$1" good || note "$1" failed "$2"
  forget "$1" activating
}
