# shellcheck shell=bash
# Network, pools, profiles, projects: made if missing, marked as the lab's.

# Whether two IPv4 networks A/p and B/q overlap.
overlap() {
  local a=${1%/*} p=${1#*/} b=${2%/*} q=${2#*/} bits
  bits=$((p < q ? p : q))
  [ $((bits == 0 ? 0 : $(ipv4 "$a") >> (32 - bits))) = $((bits == 0 ? 0 : $(ipv4 "$b") >> (32 - bits))) ]
}

ipv4() {
  local o
  IFS=. read -ra o <<<"$1"
  echo $((${o[0]:-0} << 24 | ${o[1]:-0} << 16 | ${o[2]:-0} << 8 | ${o[3]:-0}))
}

used_networks() {
  ip -4 -o route show table all | awk '$1 ~ /^[0-9.]+(\/[0-9]+)?$/ { print $1 } $1 ~ /^(local|broadcast|unreachable|blackhole|throw|prohibit)$/ && $2 ~ /^[0-9]/ { print $2 }' | sed '/\//!s,$,/32,'
  awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ { print $2 "/32" }' /etc/resolv.conf
}

free_subnet() {
  local used candidate network taken
  [ -z "${MOORING_LAB_SUBNET:-}" ] || { printf '%s\n' "$MOORING_LAB_SUBNET"; return; }
  used=$(used_networks)
  for candidate in 10.77.0 10.78.0 10.177.0 172.30.77 172.29.77 192.168.177 192.168.77; do
    taken=0
    for network in $used; do
      if [ "${network#*/}" != 0 ] && overlap "$candidate.0/24" "$network"; then taken=1; fi
    done
    [ $taken = 1 ] || { printf '%s.1/24\n' "$candidate"; return; }
  done
  fail 'no free subnet found among the candidates' 'MOORING_LAB_SUBNET=a.b.c.1/24 test/lab/lab.sh up'
}

default_mtu() {
  local device
  device=$(ip -4 route show default | awk '{ for (i = 1; i < NF; i++) if ($i == "dev") { print $(i + 1); exit } }')
  cat "/sys/class/net/${device:-lo}/mtu" 2>/dev/null || echo 1500
}

make_network() {
  if ! incus network show "$NETWORK" >/dev/null 2>&1; then
    [ ! -e "/sys/class/net/$NETWORK" ] || incus_is_own || fail "there is a network device $NETWORK that the lab did not make" "ip link show $NETWORK"
    local subnet mtu
    subnet=$(free_subnet)
    mtu=$(default_mtu)
    [ "$mtu" -le 9000 ] || mtu=1500
    incus network create "$NETWORK" --type bridge "$MARK=true" ipv4.address="$subnet" ipv4.nat=true ipv6.address=none bridge.mtu="$mtu" >/dev/null
  fi
  keep_high_addresses
  NOTE="$NETWORK $(incus network get "$NETWORK" ipv4.address) mtu $(incus network get "$NETWORK" bridge.mtu)"
}

# Guests have addresses that somebody chose: from .200 on none is given out by DHCP. One that has been given out stays its container's.
keep_high_addresses() {
  local own
  own=$(incus network get "$NETWORK" ipv4.address)
  [[ $own == *.1/24 ]] && [ -z "$(incus network get "$NETWORK" ipv4.dhcp.ranges)" ] || return 0
  ! awk -v now="$EPOCHSECONDS" '$1 > now { split($3, part, "."); if (part[4] >= 200) high = 1 } END { exit !high }' \
    "/var/lib/incus/networks/$NETWORK/dnsmasq.leases" 2>/dev/null || return 0
  incus network set "$NETWORK" ipv4.dhcp.ranges="${own%.1/24}.2-${own%.1/24}.199"
}

make_pools() {
  incus storage show "$POOL" >/dev/null 2>&1 || incus storage create "$POOL" btrfs "$MARK=true" size="$POOL_SIZE" >/dev/null
  incus storage show "$POOL_DIR" >/dev/null 2>&1 || incus storage create "$POOL_DIR" dir "$MARK=true" >/dev/null
  NOTE="$POOL (btrfs), $POOL_DIR (dir)"
}

make_profiles() {
  local project=$1
  make_profile "$project" veza-data root disk path=/ pool="$POOL"
  make_profile "$project" veza-net eth0 nic name=eth0 network="$NETWORK"
  NOTE="veza-data, veza-net in project $project"
  # So that a bare `incus launch` works too; an Incus of somebody else's keeps its default profile.
  if [ "$project" = default ] && incus_is_own; then
    add_device default default root disk path=/ pool="$POOL"
    add_device default default eth0 nic name=eth0 network="$NETWORK"
  fi
}

make_profile() {
  local project=$1 name=$2
  incus profile show --project "$project" "$name" >/dev/null 2>&1 ||
    { incus profile create --project "$project" "$name" >/dev/null && incus profile set --project "$project" "$name" "$MARK=true"; }
  add_device "$@"
}

add_device() {
  local project=$1 profile=$2 device=$3
  incus profile device get --project "$project" "$profile" "$device" type >/dev/null 2>&1 ||
    incus profile device add --project "$project" "$profile" "$device" "${@:4}" >/dev/null
}

make_project() {
  incus project show "$STAGING_PROJECT" >/dev/null 2>&1 ||
    incus project create "$STAGING_PROJECT" -c "$MARK=true" -c features.images=false -c features.networks=false \
      -c features.profiles=true -c features.storage.volumes=true >/dev/null
  NOTE=$STAGING_PROJECT
}

lab_pools() { incus query '/1.0/storage-pools?recursion=1' | jq -r --arg m "$MARK" '.[] | select(.config[$m] == "true") | .name'; }

# lab_instances prints "project name" of every instance that lies on a pool of the lab.
lab_instances() {
  local pool
  for pool in $(lab_pools); do
    incus query "/1.0/storage-pools/$pool" | jq -r '.used_by[] | select(startswith("/1.0/instances/")) | ltrimstr("/1.0/instances/")
      | select(contains("/") | not) | capture("^(?<n>[^?]+)(\\?project=(?<p>.+))?$") | "\(.p // "default") \(.n)"'
  done | sort -u
}

missing_objects() {
  local suite
  incus network show "$NETWORK" >/dev/null 2>&1 || echo "make: network $NETWORK"
  incus storage show "$POOL" >/dev/null 2>&1 || echo "make: pool $POOL"
  incus storage show "$POOL_DIR" >/dev/null 2>&1 || echo "make: pool $POOL_DIR"
  for suite in $(suites); do image_is_current "$suite" || echo "make: image debian/$(debian_number "$suite")"; done
}

verb_status() {
  local name
  printf 'state folder  %s%s\n' "$LAB" "$([ -d "$LAB" ] || echo ' (not there)')"
  printf 'incus         %s\n' "$(if [ -z "$(incusd_path)" ]; then echo 'not installed'; elif incus_is_own; then echo 'installed by the lab'; else echo 'was here before the lab'; fi)"
  for name in lxcfs incusd sshd $PVE_PROCESS; do
    printf '%-13s %s\n' "$name" "$(own_pid $name 2>/dev/null | sed 's/^/pid /' || true)"
  done
  if ! answers; then
    echo 'server        does not answer'
    return
  fi
  printf 'server        answers, %s\n' "$(has_mark && echo "marked ($MARK)" || echo "not marked ($MARK)")"
  printf 'network       %s\n' "$(incus network get "$NETWORK" ipv4.address 2>/dev/null || echo missing)"
  printf 'pools         %s\n' "$(lab_pools | tr '\n' ' ')"
  incus list --all-projects -c ens4
}
