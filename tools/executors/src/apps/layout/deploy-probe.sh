# shellcheck shell=sh
# A part of deploy_app.sh (script.ts), which sets its constants; this comment is not in it.
# Says whether what runs is healthy.
#
# shellcheck disable=SC2154,SC2034 # what other parts set and use
# shellcheck disable=SC2164 # errexit is set

# healthy SECONDS: whether what runs is healthy within that time: the path answers as expected, every other port answers, no unit has ended.
healthy() {
  end=$(($(date +%s) + $1)) left=$1
  # A first answer may be slow, and one that never comes must leave time for another.
  until probe $((left > 10 ? left / 2 : 5)); do
    left=$((end - $(date +%s)))
    # shellcheck disable=SC2086 # a list
    if [ "$left" -le 0 ] || systemctl is-failed --quiet $UNITS; then return 1; fi
    sleep 1
  done
}
# probe SECONDS: sets problem, or code and body.
probe() {
  for unit in $UNITS; do
    if ! systemctl is-active --quiet "$unit"; then problem="$unit does not run"; return 1; fi
  done
  failed=0
  answer=$(ask_health "$1") || failed=$?
  body=$(printf '%.500s' "${answer%"$NL"*}") last=${answer##*"$NL"}
  code=${last%% *} redirect=${last#* }
  if [ "$failed" != 0 ]; then problem="$HEALTH_URL gives no answer: $body$(hint "$failed")"; return 1; fi
  if ! expected "$code"; then
    case $code in
      30[12378]) problem="$HEALTH_URL answers $code, a redirect to $redirect$(hint "$code")" ;;
      *) problem="$HEALTH_URL answers $code: $body$(hint "$code")" ;;
    esac
    return 1
  fi
  for port in $OTHER_PORTS; do
    if ! answer=$(answers "$port"); then problem="port $port gives no answer: $answer"; return 1; fi
  done
}
# hint CODE: what may be meant by a status or by an exit code of curl, where a setting would tell.
hint() {
  case $1 in
    1 | 8 | 16 | 35 | 52 | 56) say '; if it speaks https or HTTP/2 alone, set "protocol" in "health" of app.json' ;;
    30[12378])
      case $redirect in
        https:*) [ -n "$HEALTH_HOST" ] || printf %s '; if it wants to be called by its domain, set "host" in "health" of app.json' ;;
        *) printf %s '; if it is healthy by what it says there, set "path" in "health" of app.json' ;;
      esac
      say '; if that is its healthy answer, set "expect": ['"$1]"
      ;;
    400 | 403 | 404 | 421) [ -n "$HEALTH_HOST" ] || say '; if it looks at the Host header, set "host" in "health" of app.json' ;;
    401) say '; if that is its healthy answer, set "expect": [401] in "health" of app.json' ;;
  esac
}
