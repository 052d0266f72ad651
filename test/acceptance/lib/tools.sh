# shellcheck shell=bash
# What building and running the machine needs from Debian.

VM_BACKPORTED=(qemu-system-x86 qemu-utils)
VM_PACKAGES=(mmdebstrap debian-archive-keyring e2fsprogs xz-utils openssh-client)

# One command at a time works on the kept parts; each machine has a lock of its own besides, by its folder.
take_vm_lock() {
  mkdir -p /run/lock
  exec 9>/run/lock/mooring-acceptance
  flock -n 9 && return
  announce 'another command of the acceptance lab is running; waiting for it'
  flock -w 2400 9 || fail 'another command of the acceptance lab has been running for 40 minutes' "$HERE/vm.sh status"
}

# QEMU 10 and newer saves and restores this machine; Debian 12 has it in its backports.
install_tools() {
  local wanted
  mapfile -t wanted < <(missing "${VM_BACKPORTED[@]}" "${VM_PACKAGES[@]}")
  if [ ${#wanted[@]} -gt 0 ]; then
    announce "installing ${wanted[*]}"
    add_backports
    apt_update
    wait_for_apt
    if [ "$SUITE" = bookworm ]; then
      apt_install -t bookworm-backports "${wanted[@]}" || apt_failed install
    else
      apt_install "${wanted[@]}" || apt_failed install
    fi
  fi
  NOTE="qemu $(qemu_version)"
}

# apt-get waits for dpkg's lock, not for apt-get's own on the archives.
wait_for_apt() {
  local i
  for i in $(seq 300); do
    flock -n /var/cache/apt/archives/lock true 2>/dev/null && return
    [ "$i" != 1 ] || announce 'another apt-get is at work; waiting for it'
    sleep 2
  done
}

qemu_version() { dpkg-query -W -f '${Version}' qemu-system-x86 2>/dev/null || echo none; }
