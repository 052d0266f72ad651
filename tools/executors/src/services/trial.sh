# shellcheck shell=sh
# PATH CREDENTIALS USER SECONDS UNIT FILES TEXTS PROGRAM [PARAMETER …], with listeners: tries the content on stdin. Exits with 10 where there is
# nothing to try.
#
# The sandbox is a transient unit with a user of its own, which may write nowhere but in its private /tmp, /var/tmp and /dev/shm (systemd
# takes them away), has no network but a loopback interface of its own, half of the free memory at most, and the first place for the OOM
# killer (systemd.exec(5), DynamicUser=; systemd.resource-control(5), MemoryMax=). It has the machine's processors when nobody else wants
# them.
#
# shellcheck disable=SC2086,SC2231 # patterns and lists of paths are given as one word
# shellcheck disable=SC2016 # what the sandbox's shell expands

path=$1 credentials=$2 user=$3 seconds=$4 unit=$5 files=$6 texts=$7 program=$8; shift 8
content=$(cat; echo .); content=${content%.}
runs() {
  for slice in /sys/fs/cgroup/system.slice /sys/fs/cgroup/systemd/system.slice; do
    for procs in $slice/$unit/cgroup.procs $slice/*/$unit/cgroup.procs; do
      ! { read -r _ <"$procs"; } 2>/dev/null || return 0
    done
  done
  return 1
}
there() { [ "$1." = "$(shift; cat "$@" 2>/dev/null && echo .)" ]; }
if there "$content$texts" $path $files; then
  [ -z "$unit" ] || runs || listeners
  exit 10
fi
[ -z "$unit" ] || listeners
if [ -n "$files" ] && there "$content" $path; then exit 10; fi
# With less on its disk a trial could take from the live server what that needs for its next write.
[ "$(df --output=avail -k /var/tmp | tail -n 1)" -ge 204800 ] || { echo 'there is less than 200 MB of room in /var/tmp' >&2; exit 1; }
net=$(readlink /proc/self/ns/net) ipc=$(readlink /proc/self/ns/ipc)
# Where the container is not allowed a network namespace systemd goes on without one, and so for System V IPC (systemd 252, exec_child,
# "ignoring"): the trial would then speak on the live network and find the live server's port taken. It insists on a mount namespace itself.
set -- -- sh -euc 'net=$(readlink /proc/self/ns/net) ipc=$(readlink /proc/self/ns/ipc)
if [ "$net" = "$1" ] || [ "$ipc" = "$2" ]; then
  echo "the container is not allowed to give the sandbox a network and memory of its own" >&2; exit 1
fi
shift 2; cd "$(mktemp -d /var/tmp/trial.XXXXXX)"; program=$1; shift; eval "$program"' sh "$net" "$ipc" "$program" "$@"
for file in $credentials; do [ ! -e "$file" ] || set -- -p LoadCredential="${file##*/}:$file" "$@"; done
[ -z "$user" ] || set -- -p User="$user" "$@"
memory() { sed -n "s/^$1: *\([0-9]*\) kB$/\1/p" /proc/meminfo; }
free=$(memory MemAvailable)
printf '%s' "$content" | systemd-run --quiet --wait --pipe --collect --service-type=exec --description='trial of a configuration' \
  -E TRIAL_MEMORY_KB="$(memory MemTotal)" \
  -p DynamicUser=yes -p PrivateNetwork=yes -p PrivateIPC=yes -p TemporaryFileSystem=/dev/shm:mode=1777 -p ProtectProc=invisible -p RuntimeMaxSec="$seconds" -p TimeoutStopSec=2 \
  -p MemoryMax="$((${free:-131072} / 2))K" -p MemorySwapMax=0 -p OOMScoreAdjust=1000 -p CPUWeight=10 -p Nice=10 -p UMask=0077 "$@" && code=0 || code=$?
# Of these two the program says nothing.
case $code in 10 | 11) code=1 ;; esac
exit "$code"
