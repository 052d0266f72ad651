# shellcheck shell=bash
# PORT FOLDER: every object has one xl.meta in the folder of its name (MinIO docs, "xl-storage"), so files tell the count of what no single
# listing holds. Those come first, a line each bucket, then MinIO's answers.

# shellcheck disable=SC2164 # errexit is set
set -o pipefail; shopt -s nullglob; cd -- "$2"
buckets=(*/)
[ ${#buckets[@]} = 0 ] || find "${buckets[@]}" -type f -name xl.meta -printf '%H\n' | sort | uniq -c
echo answers
exec 3<>"/dev/tcp/127.0.0.1/$1"; base64 -d >&3
exec cat <&3
