# shellcheck shell=bash
# Images of containers, as the lab's (its recipe is used): uncompressed, for unpacking is slow in an emulated machine.

SERVICE_PACKAGES=postgresql,redis-server,rabbitmq-server

key_of_base_image() { key "$SUITE" "$(image_recipe "$SUITE")" "$(recipe build_base_image build_image_tar)"; }
what_base_image() { echo "a minimal Debian $SUITE, half a minute"; }
build_base_image() { build_image_tar "$1" mooring-base "$(image_packages)" ''; }

key_of_services_image() { key "$SUITE" "$(image_recipe "$SUITE")" "$SERVICE_PACKAGES" "$(recipe build_services_image build_image_tar quicken_rabbitmq)"; }
what_services_image() { echo "Debian $SUITE with $SERVICE_PACKAGES, a minute"; }

# What the services' own first stages would install: there is then nothing to fetch. No cluster, for it would have the locale of
# this machine, and nothing that starts by itself: every container has all of them, and uses one.
build_services_image() {
  build_image_tar "$1" mooring-services "$(image_packages),$SERVICE_PACKAGES" \
    'mkdir -p "$1/etc/postgresql-common/createcluster.d"
     echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.d/50-mooring.conf"'
  [ -z "$(ls "$1/root/etc/postgresql" 2>/dev/null)" ]
}

# At each start Erlang looks for every module in every plugin's folder, which emulated is a third of a start; no test enables one. And Debian's
# epmd.service ends before the server at a shutdown: `rabbitmqctl stop` then looks for the node in vain, for a minute here.
quicken_rabbitmq() {
  local plugins
  plugins=$(ls -d "$1"/usr/lib/rabbitmq/lib/rabbitmq_server-*/plugins 2>/dev/null) || return 0
  find "$plugins" -mindepth 1 -maxdepth 1 -name 'rabbitmq_*' ! -name 'rabbitmq_prelaunch-*' -exec rm -r {} +
  mkdir -p "$1/etc/systemd/system/rabbitmq-server.service.d"
  printf '[Unit]\nAfter=epmd.service\n' >"$1/etc/systemd/system/rabbitmq-server.service.d/stop.conf"
}

build_image_tar() {
  local work=$1 name=$2 packages=$3 hook=${4:-true} root=$1/root
  image_sources "$SUITE" | "${MMDEBSTRAP[@]}" --aptopt="$(image_apt_options)" --format=directory --variant=minbase --include="$packages" \
    --essential-hook="$hook" "$SUITE" "$root" -
  # RabbitMQ brings Python along, which the lab's own image must not have.
  setup_script | sed '/python3/d' | sh -s "$root"
  # Starts that take a second elsewhere take a minute here, and more beside other work.
  mkdir -p "$root/etc/systemd/system.conf.d"
  printf '[Manager]\nDefaultTimeoutStartSec=10min\n' >"$root/etc/systemd/system.conf.d/emulated.conf"
  chroot "$root" sh -c 'systemctl disable redis-server rabbitmq-server epmd.socket
    systemctl mask logrotate.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service systemd-resolved.service' || true
  quicken_rabbitmq "$root"
  rm -rf "$root"/var/lib/apt/lists/*Packages* "$root"/var/cache/apt/*.bin
  mkdir "$work/image" "$work/image/templates"
  cat >"$work/image/metadata.yaml" <<Y
architecture: x86_64
creation_date: 1700000000
properties: {os: debian, release: $SUITE, description: "$name"}
templates:
  /etc/hostname: {when: [create, copy], template: hostname.tpl}
  /etc/hosts: {when: [create, copy], template: hosts.tpl}
Y
  echo '{{ container.name }}' >"$work/image/templates/hostname.tpl"
  printf '127.0.0.1\tlocalhost\n127.0.1.1\t{{ container.name }}\n' >"$work/image/templates/hosts.tpl"
  tar --numeric-owner --xattrs --transform 's,^root,rootfs,' -C "$work" -cf "$work/out/image.tar" -C image metadata.yaml templates -C .. root
}
