# shellcheck shell=bash
# The images: built from the machine's own mirror, since no image server is asked; kept in the cache.
# There are two kinds: `base`, and `guest`, which stands for a Proxmox template and so has an sshd.

IMAGE_KIND=base

image_packages() {
  local all=systemd,systemd-sysv,udev,systemd-resolved,libnss-resolve,dbus,iproute2,ca-certificates,procps
  [ $IMAGE_KIND = base ] || all+=,openssh-server,libpam-systemd,iputils-ping,cron
  printf '%s\n' "$all"
}

image_alias() { printf '%s/%s\n' "$([ $IMAGE_KIND = base ] && echo debian || echo mooring-guest)" "$(debian_number "$1")"; }
image_folder() { printf '%s/%s\n' "$CACHE" "$1$([ $IMAGE_KIND = base ] || echo "-$IMAGE_KIND")"; }

# Changes when what would be built changes.
image_recipe() { { echo "$1 $(image_packages)"; image_sources "$1"; image_apt_options; setup_script; } | sha256sum | cut -c1-16; }

image_sources() {
  local suite=$1 main security
  main=$(mirror "$suite")
  main=${main:-$(own_mirror)}
  security=$(mirror "$suite-security")
  security=${security:-$(mirror "$SUITE-security")}
  printf 'deb %s %s main\n' "$main" "$suite" "$main" "$suite-updates"
  [ -z "$security" ] || printf 'deb %s %s main\n' "$security" "$suite-security"
}

# What apt needs on this machine it needs in the containers as well.
image_apt_options() {
  local option value
  for option in Acquire::Check-Valid-Until Acquire::Check-Date Acquire::http::Proxy Acquire::https::Proxy; do
    value=$(apt_option $option)
    case $value in
      '' | *127.0.0.1* | *localhost*) ;;
      *) printf '%s "%s";\n' $option "$value" ;;
    esac
  done
  echo 'Acquire::Languages "none";'
}

image_is_kept() {
  local folder
  folder=$(image_folder "$1")
  [ -s "$folder/rootfs.squashfs" ] && [ "$(cat "$folder/recipe" 2>/dev/null)" = "$(image_recipe "$1")" ]
}

image_is_current() {
  local have
  have=$(incus image get-property "$(image_alias "$1")" mooring.recipe 2>/dev/null) && [ "$have" = "$(image_recipe "$1")" ]
}

make_image() {
  local suite=$1 alias fingerprint
  alias=$(image_alias "$suite")
  if image_is_current "$suite"; then
    NOTE="$alias is there"
  else
    image_is_kept "$suite" || build_image "$suite"
    import_image "$suite" "$alias"
    NOTE="$alias made"
  fi
  if [ $IMAGE_KIND = base ] && [ "$suite" = "$SUITE" ]; then
    fingerprint=$(alias_target "$alias")
    if [ "$(alias_target "$BASE_ALIAS")" != "$fingerprint" ]; then
      incus image alias delete "$BASE_ALIAS" >/dev/null 2>&1 || true
      incus image alias create "$BASE_ALIAS" "$fingerprint" >/dev/null
    fi
    NOTE+=", also $BASE_ALIAS"
  fi
}

alias_target() { incus query "/1.0/images/aliases/${1//\//%2F}" 2>/dev/null | jq -r .target || true; }

import_image() {
  local suite=$1 alias=$2 folder work=$LAB/run/image fingerprint before
  folder=$(image_folder "$suite")
  before=$(alias_target "$alias")
  rm -rf "$work"
  mkdir -p "$work/templates"
  cat >"$work/metadata.yaml" <<E
architecture: $(uname -m)
creation_date: $(stat -c %Y "$folder/rootfs.squashfs")
properties: {os: debian, release: $suite, description: "Debian $suite, $IMAGE_KIND (lab)", mooring.lab: "true", mooring.recipe: "$(image_recipe "$suite")"}
E
  # A guest's name is its own, not the container's: the double writes it.
  [ $IMAGE_KIND = guest ] || write_templates "$work"
  tar -C "$work" --sort=name --mtime=@0 --owner=0 --group=0 -cJf "$work/metadata.tar.xz" metadata.yaml templates
  fingerprint=$(cat "$work/metadata.tar.xz" "$folder/rootfs.squashfs" | sha256sum | cut -d' ' -f1)
  incus image info "$fingerprint" >/dev/null 2>&1 || incus image import "$work/metadata.tar.xz" "$folder/rootfs.squashfs" >/dev/null
  incus image alias delete "$alias" >/dev/null 2>&1 || true
  incus image alias create "$alias" "$fingerprint" >/dev/null
  # Instances of the image before do not need it any more.
  [ -z "$before" ] || [ "$before" = "$fingerprint" ] || incus image delete "$before" >/dev/null 2>&1 || true
  rm -rf "$work"
}

write_templates() {
  printf 'templates:\n  /etc/hostname: {when: [create, copy], template: hostname.tpl}\n  /etc/hosts: {when: [create, copy], template: hosts.tpl}\n' >>"$1/metadata.yaml"
  echo '{{ container.name }}' >"$1/templates/hostname.tpl"
  printf '127.0.0.1\tlocalhost\n127.0.1.1\t{{ container.name }}\n::1\tlocalhost ip6-localhost ip6-loopback\n' >"$1/templates/hosts.tpl"
}

build_image() {
  local suite=$1 folder proxy sources
  folder=$(image_folder "$suite")
  announce "building the $IMAGE_KIND image of $suite from the machine's mirror: about a minute"
  mapfile -t sources < <(image_sources "$suite")
  proxy=$(apt_option Acquire::http::Proxy)
  rm -rf "$folder"
  mkdir -p "$folder"
  image_apt_options >"$folder/apt.conf"
  setup_script >"$folder/setup.sh"
  env ${proxy:+http_proxy="$proxy"} mmdebstrap --mode=root --variant=minbase --quiet --aptopt="$folder/apt.conf" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
    --include="$(image_packages)" --customize-hook="sh $folder/setup.sh \"\$1\"" \
    "$suite" "$folder/rootfs.tar" "${sources[@]}" >"$LAB/log/image-$suite.log" 2>&1 9>&- ||
    { tail -n 5 "$LAB/log/image-$suite.log" >&2; fail "the image of $suite could not be built (the last lines are above, all of it is in $LAB/log/image-$suite.log)" 'test/lab/lab.sh up'; }
  tar2sqfs -q -f -c zstd "$folder/rootfs.squashfs.part" <"$folder/rootfs.tar" >>"$LAB/log/image-$suite.log" 2>&1
  rm -f "$folder/rootfs.tar" "$folder/setup.sh" "$folder/apt.conf"
  mv "$folder/rootfs.squashfs.part" "$folder/rootfs.squashfs"
  image_recipe "$suite" >"$folder/recipe"
}

# Runs on the machine with the new root file system as its argument. udev is not optional: without it networkd waits for ever.
setup_script() {
  cat <<'E'
set -e
R=$1
if [ -e "$R/usr/bin/python3" ]; then echo 'the image must not contain Python'; exit 1; fi
mkdir -p "$R/etc/systemd/network"
printf '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=no\n[DHCPv4]\nClientIdentifier=mac\n' > "$R/etc/systemd/network/10-eth0.network"
: > "$R/etc/machine-id"
rm -f "$R/etc/hostname"
chroot "$R" systemctl enable systemd-networkd systemd-resolved > /dev/null 2>&1
chroot "$R" systemctl mask systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer > /dev/null 2>&1
ln -sf /run/systemd/resolve/stub-resolv.conf "$R/etc/resolv.conf"
E
  [ $IMAGE_KIND = base ] || guest_setup_script
}

# Each guest gets host keys of its own when it is made.
guest_setup_script() {
  cat <<'E'
rm -f "$R"/etc/ssh/ssh_host_*
chroot "$R" systemctl enable ssh > /dev/null 2>&1
E
}

# The template of the Proxmox double is Debian 12, whatever this machine is.
make_guest_image() {
  local IMAGE_KIND=guest
  make_image bookworm
}
