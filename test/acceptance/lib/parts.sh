# shellcheck shell=bash
# Kept parts: each in a folder named by what it was made of, so that a change makes it anew and nothing else does.

DEBIAN_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
MMDEBSTRAP=(mmdebstrap --mode=root --quiet --keyring="$DEBIAN_KEYS"
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*'
  --dpkgopt=force-unsafe-io)

# vm_sources prints apt sources of the machine's own mirror for the virtual machine's release. ZFS is in contrib.
vm_sources() {
  local main security
  main=$(mirror "$VM_SUITE")
  main=${main:-$(own_mirror)}
  security=$(mirror "$VM_SUITE-security")
  security=${security:-$(mirror "$SUITE-security")}
  printf 'deb %s %s main contrib\n' "$main" "$VM_SUITE" "$main" "$VM_SUITE-updates"
  [ -z "$security" ] || printf 'deb %s %s main contrib\n' "$security" "$VM_SUITE-security"
}

# apt for the virtual machine's release, with lists of its own: what this machine has installed does not matter to it.
vm_apt() {
  local apt=$CACHE/apt
  "$1" -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$apt/lists" \
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o Acquire::Languages=none "${@:2}"
}

# Asked of the mirror once a day: a kept machine starts without it.
know_versions() {
  local apt=$CACHE/apt
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$CACHE/parts" "$CACHE/work"
  : >"$apt/status"
  vm_sources | sed "s,^deb ,deb [signed-by=$DEBIAN_KEYS] ," >"$apt/sources.list.new"
  if ! cmp -s "$apt/sources.list.new" "$apt/sources.list" || [ -z "$(find "$apt/updated" -mmin -1440 2>/dev/null)" ]; then
    mv "$apt/sources.list.new" "$apt/sources.list"
    vm_apt apt-get -qq update >>"$LAB/log/apt.log" 2>&1 || apt_failed "update (for $VM_SUITE)"
    touch "$apt/updated"
  fi
  KERNEL_VERSION=$(version_of "linux-image-$KERNEL")
  ZFS_VERSION=$(version_of zfs-dkms)
  INCUS_VERSION=$(version_of incus-base)
  NOTE="kernel $KERNEL_VERSION, zfs $ZFS_VERSION, incus $INCUS_VERSION"
}

version_of() {
  local version
  version=$(vm_apt apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1)
  [ -n "$version" ] || fail "the mirror has no $1 in $VM_SUITE" "look at $CACHE/apt/sources.list"
  printf '%s\n' "$version"
}

# key WORD… prints a short hash of the words.
key() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }

# recipe FUNCTION… prints what these functions do: their text without comments.
recipe() { declare -f "$@"; }

# part NAME prints the folder of a part as it would be made now.
part() { printf '%s/parts/%s-%s\n' "$CACHE" "$1" "$("key_of_$1")"; }

# make_part NAME builds it in a work folder that becomes the part's when all of it is there; older ones of that name go.
make_part() {
  local name=$1 folder work=$CACHE/work/$1 log=$LAB/log/$1.log began=${EPOCHREALTIME/./} code=0 old
  folder=$(part "$name")
  [ ! -d "$folder" ] || return 0
  remove_tree "$work"
  mkdir -p "$work/out"
  announce "building $name: $(what_"$name")"
  # Not as a condition: bash would let its commands fail. It keeps the lock as long as it lives.
  (trap - ERR EXIT; "build_$name" "$work") >"$log" 2>&1 &
  wait $! || code=$?
  if [ $code != 0 ]; then
    tail -n 8 "$log" >&2
    fail "$name could not be built (the last lines are above, all of it is in $log)" "$HERE/vm.sh build"
  fi
  for old in "$CACHE/parts/$name"-*; do [ ! -d "$old" ] || remove_tree "$old"; done
  mv "$work/out" "$folder"
  remove_tree "$work"
  announce "$name: $(seconds_since "$began") s"
}

# mmdebstrap leaves nothing mounted, but a killed one does.
remove_tree() {
  local mount
  [ -e "$1" ] || return 0
  while read -r mount; do umount -l "$mount" || true; done < <(awk -v p="$1/" 'index($2, p) == 1 { print $2 }' /proc/mounts | sort -r)
  rm -rf --one-file-system "$1"
}

# The modules are compiled while image and root are unpacked; the disk needs them all.
build_parts() {
  local compiling
  make_part modules &
  compiling=$!
  make_part image
  make_part root
  wait "$compiling" || fail 'the ZFS modules could not be built (see above)' "$HERE/vm.sh build"
  make_part disk
  NOTE=$(ls "$CACHE/parts" | tr '\n' ' ')
}
