# shellcheck shell=bash
# The state "ready": booted, with pools, Incus, image, profiles and project.

key_of_ready() { key "$(key_of_disk)" "$(qemu_version)" "$NETWORK $PROJECT" "$(machine_arguments)" "$(recipe prepare guest_setup)"; }

build_ready() {
  local ready before_run=$RUN before_port=$PORT
  ready=$(part ready)
  if [ -d "$ready" ]; then
    NOTE=$(basename "$ready")
    return
  fi
  announce 'booting the machine for the first time and preparing it: three minutes'
  RUN=$CACHE/work/ready PORT=$((PORT + 1000))
  stop_vm
  rm -rf "$RUN"
  mkdir -p "$RUN"
  prepare
  stop_vm
  rm -rf "$CACHE/parts/ready"-*
  mkdir "$RUN/disks"
  mv "$RUN"/*.qcow2 "$RUN/disks/"
  mv "$RUN/disks" "$ready"
  rm -rf "$RUN"
  RUN=$before_run PORT=$before_port
  NOTE=$(basename "$ready")
}

prepare() {
  qemu-img create -q -f qcow2 -F qcow2 -b "$(part disk)/root.qcow2" "$RUN/root.qcow2"
  qemu-img create -q -f qcow2 "$RUN/tank.qcow2" 20G
  qemu-img create -q -f qcow2 "$RUN/dozer.qcow2" 4G
  write_vm_ssh_config
  start_vm
  wait_for_ssh 300
  guest_setup | INSIDE_TIMEOUT=900 inside bash -s >"$LAB/log/ready.log" 2>&1 ||
    { tail -n 8 "$LAB/log/ready.log" >&2; fail "the machine could not be prepared (the last lines are above, all of it is in $LAB/log/ready.log)" "$HERE/vm.sh build"; }
  save_state ready
}

# Runs inside. The pools' own root file systems are mounted nowhere, as on a storage host.
guest_setup() {
  printf 'NETWORK=%s PROJECT=%s\n' "$NETWORK" "$PROJECT"
  cat <<'E'
set -euo pipefail
pool() { zpool create -f -o ashift=12 -O compression=off -O atime=off -O xattr=sa -O acltype=posix -m none "$1" "$2"; zfs create "$1/incus"; }
pool tank /dev/vdb
pool dozer /dev/vdc
incus admin waitready --timeout=120
incus admin init --preseed <<Y
networks:
- {name: $NETWORK, type: bridge, config: {ipv4.address: 10.88.0.1/24, ipv4.nat: "true", ipv6.address: none}}
storage_pools:
- {name: tank, driver: zfs, config: {source: tank/incus}}
- {name: dozer, driver: zfs, config: {source: dozer/incus}}
profiles:
- name: default
  devices: {root: {path: /, pool: tank, type: disk}, eth0: {name: eth0, network: $NETWORK, type: nic}}
Y
incus project create "$PROJECT" -c features.images=false -c features.networks=false -c features.profiles=true -c features.storage.volumes=true </dev/null
for project in default "$PROJECT"; do
  incus profile create veza-data --project "$project" </dev/null
  incus profile device add veza-data root disk path=/ pool=tank --project "$project" </dev/null
  incus profile create veza-net --project "$project" </dev/null
  incus profile device add veza-net eth0 nic name=eth0 network="$NETWORK" --project "$project" </dev/null
done
incus image import -q /srv/mooring-services.tar --alias mooring-services </dev/null
# Unpacks it into its dataset once.
incus init -q mooring-services warm </dev/null
incus delete warm </dev/null
rm /srv/mooring-services.tar
sync
zpool sync
fstrim -a || true
zpool trim tank || true
sleep 3
E
}
