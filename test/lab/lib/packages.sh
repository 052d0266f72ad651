# shellcheck shell=bash
# What the lab needs from Debian, and whose the Incus on this machine is.

INCUS_PACKAGES=(incus-base incus-client libcowsql0 libraft0)
HOST_PACKAGES=(lxcfs dnsmasq-base nftables iptables btrfs-progs squashfs-tools uidmap rsync attr iproute2)
TOOL_PACKAGES=(jq squashfs-tools-ng mmdebstrap debian-archive-keyring xz-utils)
# The last two are login shells that hosts of others have.
SSH_PACKAGES=(openssh-server openssh-client tcsh fish)
BACKPORTS_FILE=/etc/apt/sources.list.d/mooring-lab-backports.sources

incusd_path() {
  local path
  for path in /usr/libexec/incus/incusd /opt/incus/bin/incusd /usr/lib/incus/incusd; do
    [ ! -x $path ] || { printf '%s\n' $path; return; }
  done
}

incus_is_own() { [ -e "$LAB/own-incus" ]; }
incus_is_existing() { ! incus_is_own && [ -n "$(incusd_path)" ]; }

needed_packages() {
  # Beside an Incus that is there already (perhaps not Debian's) only the tools are added.
  incus_is_existing || printf '%s\n' "${INCUS_PACKAGES[@]}" "${HOST_PACKAGES[@]}"
  printf '%s\n' "${TOOL_PACKAGES[@]}"
}

has_mark() { [ "$(incus config get "$MARK" 2>/dev/null)" = true ]; }

is_marked_lab() { answers && has_mark; }

refuse_existing() {
  fail "there is an Incus on this machine that the lab did not install and that is not marked as the lab ($MARK is not 'true'); it was not touched" \
    "test/lab/lab.sh up --use-existing   (adds network $NETWORK, pools $POOL and $POOL_DIR, profiles and images to it)"
}

# An Incus of somebody else's is not even started, before --use-existing has been said once.
guard_existing() {
  if [ -z "$(incusd_path)" ]; then
    make_state_folder
    remember_leftovers
    touch "$LAB/own-incus"
  elif incus_is_existing && [ ! -e "$LAB/use-existing" ] && ! is_marked_lab; then
    [ "$USE_EXISTING" = 1 ] || refuse_existing
    make_state_folder
    touch "$LAB/use-existing"
  fi
  make_state_folder
}

# What Debian's package makes and a purge leaves behind.
remember_leftovers() {
  local group file
  [ ! -e "$LAB/leftovers" ] || return 0
  for group in incus incus-admin; do getent group $group >/dev/null || echo "group $group"; done >"$LAB/leftovers.part"
  for file in /etc/subuid /etc/subgid; do grep -qs '^root:' $file || echo "ids $file"; done >>"$LAB/leftovers.part"
  mv "$LAB/leftovers.part" "$LAB/leftovers"
}

guard_server() {
  has_mark && return
  incus_is_own || [ -e "$LAB/use-existing" ] || refuse_existing
  incus config set "$MARK=true"
}

add_backports() {
  [ "$SUITE" = bookworm ] || return 0
  [ -z "$(mirror bookworm-backports)" ] || return 0
  printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$(own_mirror)" >"$BACKPORTS_FILE"
}

install_packages() {
  local needed wanted
  mapfile -t needed < <(needed_packages)
  mapfile -t wanted < <(missing "${needed[@]}")
  if [ ${#wanted[@]} -gt 0 ]; then
    announce "installing ${wanted[*]}"
    [[ " ${wanted[*]} " != *' incus-base '* ]] || add_backports
    apt_update
    install_list "${wanted[@]}" || apt_failed install
  fi
  incus_is_existing || ensure_ids
  NOTE="incus $(dpkg-query -W -f '${Version}' incus-base 2>/dev/null || echo 'not of Debian')"
}

# Only Incus itself comes from backports; the rest stays with the machine's release.
install_list() {
  local package list=()
  for package in "$@"; do
    if [ "$SUITE" = bookworm ] && [[ " ${INCUS_PACKAGES[*]} " == *" $package "* ]]; then
      package+=/bookworm-backports
    fi
    list+=("$package")
  done
  apt_install "${list[@]}" || { [ "$SUITE" = bookworm ] && apt_install -t bookworm-backports "$@"; }
}

ensure_ids() {
  local file
  for file in /etc/subuid /etc/subgid; do
    grep -qs '^root:' $file || echo root:1000000:1000000000 >>$file
  done
}

# The tests check the scripts that are put on hosts with it.
install_shellcheck() {
  if ! command -v shellcheck >/dev/null; then
    make_state_folder
    announce 'installing shellcheck'
    apt_update
    apt_install shellcheck || apt_failed install
  fi
  NOTE=$(shellcheck --version | sed -n 's/^version: //p')
}

install_ssh() {
  local wanted
  mapfile -t wanted < <(missing "${SSH_PACKAGES[@]}")
  if [ ${#wanted[@]} -gt 0 ]; then
    announce "installing ${wanted[*]}"
    if [ "$SYSTEMD" = 1 ] && [ ! -e /usr/sbin/sshd ]; then
      # Else the next boot would start a second sshd, on port 22 of every interface.
      systemctl mask ssh.service ssh.socket >/dev/null 2>&1
      touch "$LAB/masked-ssh"
    fi
    apt_update
    apt_install "${wanted[@]}" || apt_failed install
  fi
  NOTE=$(dpkg-query -W -f 'openssh ${Version}' openssh-server)
}

verb_needs() {
  local needed packages
  apt_sources >/dev/null
  mapfile -t needed < <(needed_packages)
  packages=$(missing "${needed[@]}" | tr '\n' ' ')
  if incus_is_existing && [ ! -e "$LAB/use-existing" ] && ! is_marked_lab; then
    echo "refuse: there is an Incus on this machine that is not marked as the lab; --use-existing makes the lab on it"
  fi
  if [ -n "$packages" ]; then
    echo "install: ${packages% }"
    [[ " $packages" != *' incus-base '* ]] || [ "$SUITE" != bookworm ] || [ -n "$(mirror bookworm-backports)" ] ||
      echo "write: $BACKPORTS_FILE (incus is in bookworm-backports; the machine's own mirror)"
  fi
  [ -n "$(new_enough_go)" ] || echo 'install: Go from Debian (MinIO is built with it once)'
  answers || echo 'start: lxcfs, incusd (Incus, its socket at /var/lib/incus/unix.socket)'
  if is_marked_lab; then
    missing_objects
  else
    echo "make: network $NETWORK (bridge, NAT), pools $POOL (btrfs, $POOL_SIZE sparse) and $POOL_DIR, profiles veza-data and veza-net"
    local suite
    for suite in $(suites); do echo "make: image debian/$(debian_number "$suite")$(image_is_kept "$suite" || echo ' (built from the machine'"'"'s Debian mirror, about a minute)')"; done
  fi
}
