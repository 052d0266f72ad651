# shellcheck shell=sh
# BINARY: a server that starts from exactly the EnvironmentFile on stdin, but for two things: its objects go into the folder of the trial, and
# its root credentials are made up, for nobody but the live server may read those of the settings. A value that MinIO does not take is not
# always its end: it goes on without (cmd/config-current.go, lookupConfigs, of the region), and only says so.
# shellcheck disable=SC1091,SC2086 # the file that is tried, and its list of options

cat >environment
. ./environment
export MINIO_SITE_REGION MINIO_BROWSER MINIO_UPDATE HOME="$PWD" MINIO_ROOT_USER=trial MINIO_ROOT_PASSWORD=trial-trial
"$1" server $MINIO_OPTS "$PWD/objects" >said 2>&1 &
tries=150
until grep -q '^API: http' said; do
  if ! kill -0 $! 2>/dev/null; then
    code=0; wait $! || code=$?
    cat said >&2
    ! grep -qiE 'no space left|permission denied|read-only file system|cannot allocate memory' said || exit 1
    [ "$code" = 1 ] || exit "$code"
    exit 65
  fi
  [ "$tries" -gt 0 ] || { echo 'the trial server did not serve within 15 s' >&2; exit 1; }
  tries=$((tries - 1)); sleep 0.1
done
! grep '^Error: Invalid ' said >&2 || exit 65
