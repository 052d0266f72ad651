# shellcheck shell=bash
# remove: what the lab made, and only that.

verb_remove() {
  if [ -d "$LAB" ]; then
    step sshd stop_process sshd
    step proxmox stop_process $PVE_PROCESS
    step applications stop_apps
    if [ -n "$(incusd_path)" ]; then
      if incus_is_own || [ -e "$LAB/use-existing" ] || is_marked_lab; then
        step daemons start_daemons
        guard_foreign
        step objects remove_objects
      fi
    fi
    if incus_is_own; then
      step shutdown shutdown_incus
      step daemons stop_daemons
      step incus remove_incus_files
    fi
    step packages purge_packages
    step leftovers remove_leftovers
    step limits restore_limits
    step 'state folder' remove_state
  fi
  [ "$WITH_CACHE" = 0 ] || step cache rm -rf "$CACHE"
}

# What lies in the lab's own Incus but was not made by the lab would go with its package.
guard_foreign() {
  local foreign
  incus_is_own && [ "$REMOVE_ALL" = 0 ] || return 0
  foreign=$(incus query '/1.0/storage-pools?recursion=1' | jq -r --arg m "$MARK" '.[] | select(.config[$m] != "true") | .name' | tr '\n' ' ')
  [ -z "$foreign" ] || fail "the lab's Incus has storage pools that the lab did not make: ${foreign% }; nothing was removed" \
    'look at them with: incus storage list; then test/lab/lab.sh remove --all takes them away too'
}

remove_objects() {
  local project name pool fingerprint environment removed=0
  local -A environments=([local]=1 [staging]=1)
  while read -r project name; do
    # One that has gone since it was listed has nothing to say and needs no deleting.
    environment=$(incus config get "$name" user.mooring.environment --project "$project" </dev/null 2>/dev/null) || continue
    [ -z "$environment" ] || environments[$environment]=1
    delete_instance "$project" "$name" </dev/null
    removed=$((removed + 1))
  done < <(if [ "$REMOVE_ALL" = 1 ] && incus_is_own; then all_instances; else lab_instances; fi)
  for pool in $(removable_pools); do delete_volumes "$pool"; done
  remove_projects
  for fingerprint in $(marked '/1.0/images?recursion=1' 'mooring.lab' .fingerprint); do incus image delete "$fingerprint" >/dev/null; done
  if incus_is_own; then
    for name in root eth0; do incus profile device remove default $name >/dev/null 2>&1 || true; done
  fi
  for name in $(marked '/1.0/profiles?recursion=1' "$MARK" .name); do incus profile delete "$name" >/dev/null; done
  for pool in $(removable_pools); do incus storage delete "$pool" >/dev/null; done
  for name in $(marked '/1.0/networks?recursion=1' "$MARK" .name); do incus network delete "$name" >/dev/null; done
  # The audit log would say that these containers were there once, and they would not be created anew.
  for environment in "${!environments[@]}"; do rm -rf "/var/lib/mooring/$environment"; done
  rmdir /var/lib/mooring 2>/dev/null || true
  incus config unset "$MARK"
  NOTE="$removed instances, and the lab's images, projects, profiles, pools and network"
}

# marked URL KEY FIELD prints the field of what carries the lab's mark, be it in its configuration or its properties.
marked() { incus query "$1" | jq -r --arg m "$2" ".[] | select((.config // .properties)[\$m] == \"true\") | $3"; }

removable_pools() {
  if [ "$REMOVE_ALL" = 1 ] && incus_is_own; then
    incus query '/1.0/storage-pools?recursion=1' | jq -r '.[].name'
  else
    lab_pools
  fi
}

delete_volumes() {
  local project volume
  while read -r project volume; do
    incus storage volume delete --project "$project" "$1" "$volume" >/dev/null </dev/null
  done < <(incus query "/1.0/storage-pools/$1/volumes/custom?recursion=1&all-projects=true" | jq -r '.[] | select(.name | contains("/") | not) | "\(.project) \(.name)"')
}

# On the lab's own Incus all projects go; on another one only the lab's, and only if nobody put something of theirs in it.
remove_projects() {
  local project name
  if incus_is_own; then
    for project in $(incus query '/1.0/projects?recursion=1' | jq -r '.[].name | select(. != "default")'); do
      incus project delete --force "$project" >/dev/null <<<yes
    done
    return
  fi
  for project in $(marked '/1.0/projects?recursion=1' "$MARK" .name); do
    for name in $(marked "/1.0/profiles?recursion=1&project=$project" "$MARK" .name); do
      incus profile delete --project "$project" "$name" >/dev/null
    done
    incus project delete "$project" >/dev/null
  done
}

all_instances() { incus query '/1.0/instances?recursion=1&all-projects=true' | jq -r '.[] | "\(.project) \(.name)"'; }

delete_instance() {
  incus config set --project "$1" "$2" security.protection.delete=false 2>/dev/null || true
  incus delete --project "$1" --force "$2" >/dev/null
}

remove_incus_files() {
  local mount
  stop_stray_dnsmasq
  # Deepest first: pools of an Incus that could not be asked any more.
  while read -r mount; do umount -l "$mount" || true; done < <(awk '$2 ~ "^/var/lib/incus/" || $2 == "/var/lib/lxcfs" { print $2 }' /proc/mounts | sort -r)
  [ ! -e "/sys/class/net/$NETWORK" ] || ip link delete "$NETWORK"
  rm -rf --one-file-system /var/lib/incus /var/log/incus /var/cache/incus /run/incus
  NOTE='/var/lib/incus, /var/log/incus, /var/cache/incus'
}

# The one of our bridge, when its incusd was killed and could not stop it.
stop_stray_dnsmasq() {
  local pid
  pid=$(sed -n 's/^pid: *//p' "/var/lib/incus/networks/$NETWORK/dnsmasq.pid" 2>/dev/null || true)
  [ -n "$pid" ] && tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qx -- "--interface=$NETWORK" || return 0
  kill "$pid"
}

# A package that something installed since then needs is kept; so nothing goes that the lab did not install.
purge_packages() {
  local ours=() extra package purged
  [ -s "$LAB/packages" ] || return 0
  # shellcheck disable=SC2016  # dpkg's
  mapfile -t ours < <(xargs dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' <"$LAB/packages" 2>/dev/null | awk '$1 != "un" { print $2 }' | sort -u)
  [ ${#ours[@]} -gt 0 ] || return 0
  extra=$(others_removed "${ours[@]}")
  if [ -n "$extra" ]; then
    local keep=()
    for package in "${ours[@]}"; do
      [ -n "$(comm -23 <(would_remove "$package") <(printf '%s\n' "${ours[@]}" | sort -u))" ] || keep+=("$package")
    done
    NOTE="kept for $(tr '\n' ' ' <<<"$extra"): $(comm -23 <(printf '%s\n' "${ours[@]}") <(printf '%s\n' "${keep[@]}") | tr '\n' ' '); "
    ours=("${keep[@]}")
  fi
  without_starting apt-get -qq -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 purge "${ours[@]}" >>"$LAB/log/apt.log" 2>&1 || apt_failed purge
  purged=${#ours[@]}
  if [ -e "$LAB/masked-ssh" ]; then systemctl unmask ssh.service ssh.socket >/dev/null 2>&1; fi
  if [ -e "$BACKPORTS_FILE" ]; then
    # shellcheck disable=SC2016  # apt's
    apt-get indextargets --format '$(FILENAME)' 'Release: bookworm-backports' 2>/dev/null | sed 's/_main_.*//' | sort -u |
      while read -r name; do rm -f "$name"_*; done
    rm -f "$BACKPORTS_FILE"
  fi
  NOTE+="$purged purged"
}

would_remove() { apt_simulate purge "$@" | awk '$1 == "Purg" || $1 == "Remv" { print $2 }' | sort -u; }
others_removed() { comm -23 <(would_remove "$@") <(printf '%s\n' "$@" | sort -u); }

remove_leftovers() {
  local kind what
  [ -s "$LAB/leftovers" ] || return 0
  while read -r kind what; do
    case $kind in
      group) ! getent group "$what" >/dev/null || groupdel "$what" ;;
      ids) [ ! -e "$what" ] || sed -i '/^root:1000000:1000000000$/d' "$what" ;;
    esac
  done <"$LAB/leftovers"
}

restore_limits() {
  local name value
  [ -s "$LAB/sysctl" ] || return 0
  while read -r name value; do echo "$value" >"/proc/sys/$name" 2>/dev/null || true; done <"$LAB/sysctl"
}

remove_state() {
  remove_proxmox
  rm -f "$WORKSPACE/.lab/ssh_config" "$WORKSPACE/.lab/known_hosts"
  rmdir "$WORKSPACE/.lab" 2>/dev/null || true
  rm -rf --one-file-system "$LAB"
  NOTE=$LAB
}
