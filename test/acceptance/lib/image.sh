# shellcheck shell=bash
# The image of containers, as the lab's (its recipe is used): uncompressed, for unpacking is slow in an emulated machine.

SERVICE_PACKAGES=postgresql,redis-server,rabbitmq-server

key_of_image() { key "$SUITE" "$(image_recipe "$SUITE")" "$SERVICE_PACKAGES" "$(recipe build_image)"; }
what_image() { echo "Debian $SUITE with $SERVICE_PACKAGES, a minute"; }

# What the services' own first stages would install: there is then nothing to fetch. No cluster, for it would have the locale of
# this machine, and nothing that starts by itself: every container has all of them, and uses one. Without what no test uses and is paid for:
# PostgreSQL's compiler is a fifth of the image, and at each start Erlang looks for every module in every plugin's folder.
build_image() {
  local work=$1 root=$1/root
  image_sources "$SUITE" | "${MMDEBSTRAP[@]}" --aptopt="$(image_apt_options)" --format=directory --variant=minbase --include="$(image_packages),$SERVICE_PACKAGES" \
    --essential-hook='mkdir -p "$1/etc/postgresql-common/createcluster.d"
      echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.d/50-mooring.conf"' \
    --customize-hook='rm "$1"/usr/lib/*/libLLVM* "$1"/usr/lib/postgresql/*/lib/llvmjit.so
      rm -r "$1"/usr/lib/postgresql/*/lib/bitcode
      cd "$1"/usr/lib/rabbitmq/lib/rabbitmq_server-*/plugins; find . -maxdepth 1 -name "rabbitmq_*" ! -name "rabbitmq_prelaunch-*" -exec rm -r {} +' \
    "$SUITE" "$root" -
  # RabbitMQ brings Python along, which the lab's own image must not have.
  setup_script | sed '/python3/d' | sh -s "$root"
  # Starts that take a second elsewhere take a minute here, and more beside other work.
  mkdir -p "$root/etc/systemd/system.conf.d"
  printf '[Manager]\nDefaultTimeoutStartSec=10min\n' >"$root/etc/systemd/system.conf.d/emulated.conf"
  # And what a container does at its boot for hardware, logins and records that it has not, is a third of that.
  chroot "$root" sh -c 'systemctl disable redis-server rabbitmq-server epmd.socket
    systemctl mask logrotate.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service modprobe@.service console-getty.service \
      systemd-resolved.service systemd-logind.service systemd-hostnamed.service systemd-modules-load.service systemd-sysctl.service \
      systemd-network-generator.service systemd-remount-fs.service systemd-sysusers.service systemd-journal-flush.service \
      systemd-tmpfiles-setup-dev.service systemd-user-sessions.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
    mkdir -p /etc/systemd/system-generators
    for generator in /lib/systemd/system-generators/systemd-*; do ln -s /dev/null "/etc/systemd/system-generators/${generator##*/}"; done' || true
  rm -rf "$root"/var/lib/apt/lists/*Packages* "$root"/var/cache/apt/*.bin
  mkdir "$work/image" "$work/image/templates"
  cat >"$work/image/metadata.yaml" <<Y
architecture: x86_64
creation_date: 1700000000
properties: {os: debian, release: $SUITE, description: mooring-services}
templates:
  /etc/hostname: {when: [create, copy], template: hostname.tpl}
  /etc/hosts: {when: [create, copy], template: hosts.tpl}
Y
  echo '{{ container.name }}' >"$work/image/templates/hostname.tpl"
  printf '127.0.0.1\tlocalhost\n127.0.1.1\t{{ container.name }}\n' >"$work/image/templates/hosts.tpl"
  tar --numeric-owner --xattrs --transform 's,^root,rootfs,' -C "$work" -cf "$work/out/image.tar" -C image metadata.yaml templates -C .. root
  [ -z "$(ls "$root/etc/postgresql" 2>/dev/null)" ]
}
