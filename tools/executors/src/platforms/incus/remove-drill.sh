# shellcheck shell=sh
# NAME PROJECT RUN DATASET: deletes the throw-away instance of that run, if it is there. Why incus is called like this: hosts/incus.ts.

name=$1 project=$2 run=$3 dataset=$4
refuse() { echo "$name is left alone: $1" >&2; exit 1; }
key() { env INCUS_CONF=/nonexistent incus --force-local config get "$name" "user.mooring.$1" --project "$project"; }
if ! marked=$(key drill-run 2>&1); then
  case $marked in *'not found'*) exit 0 ;; *) refuse "$marked" ;; esac
fi
{ [ "$marked" = "$run" ] && [ "$(key drill-name)" = "$name" ]; } || refuse 'it is not the one that this drill made'
[ -z "$(key environment)" ] || refuse 'it has the marks of a data container'
if [ -n "$dataset" ]; then
  if origin=$(LC_ALL=C zfs get -H -o value origin "$dataset" 2>&1); then
    [ "$origin" = - ] || [ "$(zfs get -H -s local -o value mooring:drill "$dataset")" = "$name" ] || refuse "$dataset is a clone of $origin, not made by this drill"
    [ -z "$(zfs list -H -o name -t snapshot -d 1 "$dataset")" ] || refuse "$dataset has snapshots"
  else
    case $origin in *'dataset does not exist'*) ;; *) refuse "$origin" ;; esac
  fi
fi
exec env INCUS_CONF=/nonexistent incus --force-local delete --force "$name" --project "$project"
