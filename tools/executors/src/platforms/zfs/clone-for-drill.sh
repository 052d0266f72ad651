# shellcheck shell=sh
# LIVE SNAPSHOT DATASET NAME: puts a clone in the place of the empty data set of the throw-away instance NAME.

live=$1 snapshot=$2 dataset=$3 name=$4
refuse() { echo "$dataset is left alone: $1" >&2; exit 1; }
[ "$(zfs get -H -o value origin "$dataset")" = - ] || refuse 'it is a clone already'
[ -z "$(zfs list -H -o name -t snapshot -d 1 "$dataset")" ] || refuse 'it has snapshots'
[ "$(zfs get -Hp -o value used "$dataset")" -le 8388608 ] || refuse 'it is not empty'
set -- -o mountpoint=legacy -o canmount=noauto -o "mooring:drill=$name"
properties=$(zfs get -Hp -s local -o property,value all "$live" | tr '\t' '=')
while IFS= read -r line; do
  case $line in ''|*:*|mountpoint=*|canmount=*|reservation=*|refreservation=*|keylocation=*|quota=0|refquota=0) ;; *) set -- "$@" -o "$line" ;; esac
done <<END
$properties
END
zfs destroy "$dataset"
exec zfs clone "$@" "$live@$snapshot" "$dataset"
