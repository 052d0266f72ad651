# shellcheck shell=sh
# NAME PROJECT SECONDS QUESTION [NIC=MAC …]: asks in an instance until the answer is good. Why incus is called like this: hosts/incus.ts.

name=$1 project=$2 seconds=$3 question=$4 macs=''
shift 4
for nic; do
  mac=$(env INCUS_CONF=/nonexistent incus --force-local config get "$name" "volatile.${nic%=*}.hwaddr" --project "$project" </dev/null)
  [ -n "$mac" ] || mac=${nic##*=}
  macs="$macs $mac"
done
end=$(($(date +%s) + seconds))
while :; do
  said=$(env INCUS_CONF=/nonexistent incus --force-local exec "$name" --project "$project" -T -- sh -c "$question" sh "$((end - $(date +%s)))" "$macs" 2>&1 </dev/null) && exit 0
  [ "$(date +%s)" -lt "$end" ] || { echo "after $seconds s $said" >&2; exit 1; }
  sleep 0.2
done
