# shellcheck shell=bash
# OpenZFS's kernel modules, compiled at this machine's speed in a throw-away root: in the emulated one it would take an hour.

key_of_modules() { key "$KERNEL_VERSION" "$ZFS_VERSION" "$(recipe build_modules)"; }
what_modules() { echo 'compiling OpenZFS, six minutes'; }

build_modules() {
  local work=$1 root=$1/root kernel
  # No initramfs is wanted here, and zfs-dkms asks about its licence.
  vm_sources | "${MMDEBSTRAP[@]}" --aptopt="$(image_apt_options)" --format=directory --variant=apt \
    --include="linux-image-$KERNEL,linux-headers-$KERNEL,zfs-dkms,dkms,make,gcc,libc6-dev,kmod,file,python3-minimal" \
    --essential-hook='echo "zfs-dkms zfs-dkms/note-incompatible-licenses note" | chroot "$1" debconf-set-selections
      mkdir -p "$1/etc/dkms" "$1/etc/initramfs-tools"
      printf "#!/bin/sh\nexit 0\n" >"$1/usr/local/sbin/update-initramfs"; chmod +x "$1/usr/local/sbin/update-initramfs"' \
    "$VM_SUITE" "$root" -
  kernel=$(ls "$root/lib/modules")
  if ! ls "$root/lib/modules/$kernel"/updates/dkms/zfs.ko* >/dev/null 2>&1; then
    chroot "$root" dkms install "zfs/$(ls "$root/usr/src" | sed -n 's/^zfs-//p')" -k "$kernel"
  fi
  # Unpacked: the emulated machine would take seconds for it at each boot.
  find "$root/usr/lib/modules/$kernel/updates" -name '*.ko.xz' -exec xz -d {} +
  tar -C "$root" -cf "$work/out/modules.tar" "usr/lib/modules/$kernel/updates"
  printf '%s\n' "$kernel" >"$work/out/kernel"
}
