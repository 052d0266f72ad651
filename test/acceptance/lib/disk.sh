# shellcheck shell=bash
# The virtual machine's root disk: Debian with Incus and ZFS, the modules, the image, and keys that only this lab knows.

DISK_PACKAGES=linux-image-$KERNEL,initramfs-tools,busybox,zstd,systemd-sysv,dbus,udev,kmod,openssh-server,ca-certificates,curl,iproute2,nftables,incus-base,incus-client,zfsutils-linux,dnsmasq-base,rsync,xz-utils,iputils-ping,procps,less,jq,sudo

key_of_root() { key "$KERNEL_VERSION" "$ZFS_VERSION" "$INCUS_VERSION" "$DISK_PACKAGES" "$(recipe build_root)"; }
what_root() { echo "Debian $VM_SUITE with Incus $INCUS_VERSION, a minute"; }

build_root() {
  vm_sources | "${MMDEBSTRAP[@]}" --aptopt="$(image_apt_options)" --format=tar --variant=important --include="$DISK_PACKAGES" \
    --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"
      printf "MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=3\nRESUME=none\n" >"$1/etc/initramfs-tools/conf.d/lab"
      printf "virtio_pci\nvirtio_blk\next4\n" >"$1/etc/initramfs-tools/modules"' \
    "$VM_SUITE" "$1/out/root.tar" -
}

key_of_disk() {
  key "$(recipe build_disk make_keys configure_root quiet_root seal_root)" \
    "$(key_of_root)" "$(key_of_modules)" "$(key_of_image)"
}
what_disk() { echo 'all of it on one disk, half a minute'; }

build_disk() {
  local work=$1 root=$1/root out=$1/out kernel
  kernel=$(cat "$(part modules)/kernel")
  mkdir "$root"
  tar -C "$root" --numeric-owner --xattrs --xattrs-include='*' -xf "$(part root)/root.tar"
  # The mirror may have changed between the two.
  [ -d "$root/lib/modules/$kernel" ] || { echo "the mirror has another kernel than $kernel by now: $(ls "$root/lib/modules")"; rm -f "$CACHE/apt/updated"; return 1; }
  tar -xf "$(part modules)/modules.tar" -C "$root"
  chroot "$root" depmod -a "$kernel"
  make_keys "$out"
  configure_root "$root" "$out"
  quiet_root "$root"
  cp "$(part image)/image.tar" "$root/srv/mooring-services.tar"
  seal_root "$root" "$out" "$kernel"
}

make_keys() {
  ssh-keygen -q -t ed25519 -N '' -C mooring-acceptance -f "$1/id"
  ssh-keygen -q -t ed25519 -N '' -C mooring-acceptance-host -f "$1/host"
}

configure_root() {
  local root=$1 keys=$2 etc=$1/etc
  # Collecting garbage is a large part of what incusd does there, and it has little of it.
  mkdir -p "$etc/systemd/system/incus.service.d"
  printf '[Service]\nEnvironment=GOGC=400\n' >"$etc/systemd/system/incus.service.d/lab.conf"
  # It drags in systemd-udev-settle.
  chroot "$root" dpkg --purge ifupdown || true
  mkdir -p "$root/root/.ssh" "$etc/systemd/network" "$etc/modules-load.d" "$etc/modprobe.d" "$etc/ssh/sshd_config.d"
  install -m 0600 "$keys/id.pub" "$root/root/.ssh/authorized_keys"
  rm -f "$etc"/ssh/ssh_host_*
  install -m 0600 "$keys/host" "$etc/ssh/ssh_host_ed25519_key"
  install -m 0644 "$keys/host.pub" "$etc/ssh/ssh_host_ed25519_key.pub"
  printf 'UseDNS no\nPermitRootLogin prohibit-password\nMaxStartups 50:30:100\nMaxSessions 100\n' >"$etc/ssh/sshd_config.d/lab.conf"
  # Somebody who may use Incus and is not root.
  chroot "$root" useradd --create-home --shell /bin/bash --groups incus-admin deploy
  install -d -m 0700 -o "$(chroot "$root" id -u deploy)" -g "$(chroot "$root" id -g deploy)" "$root/home/deploy/.ssh"
  install -m 0600 -o "$(chroot "$root" id -u deploy)" -g "$(chroot "$root" id -g deploy)" "$keys/id.pub" "$root/home/deploy/.ssh/authorized_keys"
  echo acceptance >"$etc/hostname"
  printf '127.0.0.1 localhost acceptance\n' >"$etc/hosts"
  echo '/dev/vda / ext4 noatime,nobarrier,commit=60 0 0' >"$etc/fstab"
  # QEMU's user network, by name: bridges and veths are not its business.
  printf '[Match]\nName=enp* ens*\nType=ether\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nDNS=10.0.2.3\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' \
    >"$etc/systemd/network/10-lab.network"
  rm -f "$etc/resolv.conf"
  echo 'nameserver 10.0.2.3' >"$etc/resolv.conf"
  echo zfs >"$etc/modules-load.d/zfs.conf"
  # Without its benchmarks of checksums and parity at load, and with a small cache.
  echo 'options zfs zfs_arc_max=536870912 zfs_fletcher_4_impl=scalar zfs_vdev_raidz_impl=scalar' >"$etc/modprobe.d/zfs.conf"
  [ -s "$etc/machine-id" ] || chroot "$root" systemd-machine-id-setup
  local file
  for file in "$etc/subuid" "$etc/subgid"; do grep -qs '^root:' "$file" || echo root:1000000:1000000000 >>"$file"; done
}

# Every unit that starts costs an emulated machine a moment. Pools are imported by the tests themselves.
quiet_root() {
  local unit
  chroot "$1" systemctl enable systemd-networkd ssh.service incus.service || true
  for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service man-db.timer systemd-networkd-wait-online.service \
    getty@tty1.service serial-getty@ttyS0.service systemd-timesyncd.service logrotate.timer dpkg-db-backup.timer fstrim.timer apparmor.service zfs-zed.service \
    systemd-firstboot.service systemd-pcrphase.service cron.service zfs-import-cache.service zfs-import-scan.service zfs-volume-wait.service \
    zfs-share.service systemd-hwdb-update.service; do
    chroot "$1" systemctl mask "$unit" || true
  done
}

seal_root() {
  local root=$1 out=$2 kernel=$3
  chroot "$root" update-initramfs -c -k "$kernel" || chroot "$root" update-initramfs -u -k "$kernel"
  cp "$root/boot/vmlinuz-$kernel" "$out/vmlinuz"
  cp "$root/boot/initrd.img-$kernel" "$out/initrd"
  rm -rf "$root"/var/lib/apt/lists/*Packages* "$root"/var/cache/apt/*.bin
  chroot "$root" sh -c 'ldconfig; journalctl --update-catalog; touch /etc/.updated /var/.updated' || true
  truncate -s 8G "$out/root.raw"
  # Formatted and filled at once; its features are those that cost an emulated machine least.
  mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -O ^metadata_csum,^orphan_file -m 0 -L root -d "$root" "$out/root.raw"
  qemu-img convert -O qcow2 "$out/root.raw" "$out/root.qcow2"
  rm -f "$out/root.raw"
}
