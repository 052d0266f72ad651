# shellcheck shell=bash
# apt: the machine's own mirror, and runs that wait for locks and start no services.

# Third parties name their releases after Debian's too, so the origin is asked for, and before the first
# `apt-get update`, when apt does not know it yet, the path decides. apt itself reads both kinds of source files.
# shellcheck disable=SC2016  # the dollar signs are apt's
read_apt_sources() {
  {
    apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI) $(ORIGIN)' 'Created-By: Packages' | awk '$4 == "Debian"'
    apt-get indextargets --no-release-info --format '$(RELEASE) $(COMPONENT) $(REPO_URI) -' 'Created-By: Packages' | awk '$3 ~ /debian(-security)?\/?$/'
  } | awk '$2 == "main" && $3 ~ /^https?:/ && !seen[$1]++ { sub("/$", "", $3); print $1, $3 }'
}

# Asking apt takes a second and more, so its answer is kept until one of its files changes.
apt_sources() {
  local key kept=$LAB/run/apt-sources
  if [ -z "$APT_SOURCES" ]; then
    key=$({ stat -c '%n %Y' /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists 2>/dev/null || true; } | sha256sum)
    if [ "$(head -n 1 "$kept" 2>/dev/null)" = "$key" ]; then
      APT_SOURCES=$(tail -n +2 "$kept")
    else
      APT_SOURCES=$(read_apt_sources)
      [ ! -w "$LAB/run" ] || printf '%s\n' "$key" "$APT_SOURCES" >"$kept"
    fi
  fi
  printf '%s\n' "$APT_SOURCES"
}

# mirror RELEASE prints where the machine gets that release from, or nothing.
mirror() { apt_sources | awk -v r="$1" '$1 == r { print $2 }'; }

own_mirror() {
  local uri
  uri=$(mirror "$SUITE")
  [ -n "$uri" ] || fail "apt has no http source for $SUITE main on this machine" "add one to /etc/apt/sources.list.d, then: apt-get update"
  printf '%s\n' "$uri"
}

apt_option() {
  [ -n "${APT_OPTIONS:-}" ] || APT_OPTIONS=$(apt-config dump)
  sed -n "s,^$1 \"\(.*\)\";\$,\1,p" <<<"$APT_OPTIONS"
}

apt_failed() {
  tail -n 5 "$LAB/log/apt.log" >&2
  fail "apt-get $1 failed (the last lines are above, all of it is in $LAB/log/apt.log)" "apt-get $1"
}

apt_update() {
  local try
  for try in 1 2 3 4 5; do
    APT_SOURCES=''
    apt-get -qq update >>"$LAB/log/apt.log" 2>&1 && return
    # The lock on the lists is not covered by DPkg::Lock::Timeout.
    tail -n 3 "$LAB/log/apt.log" | grep -q 'Could not get lock' || break
    sleep "$try"
  done
  apt_failed update
}

apt_simulate() { apt-get -s -o Debug::NoLocking=1 -o APT::Get::Show-User-Simulation-Note=0 "$@" 2>>"$LAB/log/apt.log"; }

# Services must not start by themselves: openssh-server would open port 22 to the network.
without_starting() {
  local policy=/usr/sbin/policy-rc.d made=0 code=0
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\n# made by mooring-lab\nexit 101\n' >$policy
    chmod 0755 $policy
    made=1
  fi
  "$@" || code=$?
  [ $made = 0 ] || rm -f $policy
  return $code
}

# apt_install PACKAGE… What is going to be new is written down before it is installed, so that a killed run forgets nothing.
apt_install() {
  local options=(-y --no-install-recommends -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io)
  # A killed run may have left it behind.
  ! grep -qs 'made by mooring-lab' /usr/sbin/policy-rc.d || rm -f /usr/sbin/policy-rc.d
  dpkg --configure -a >>"$LAB/log/apt.log" 2>&1 || true
  apt_simulate "${options[@]}" install "$@" >"$LAB/run/simulated" || return 1
  # A second field in brackets is the version an upgrade starts from: not new.
  awk '$1 == "Inst" && $3 !~ /^\[/ { print $2 }' "$LAB/run/simulated" >>"$LAB/packages"
  sort -u -o "$LAB/packages" "$LAB/packages"
  sync -f "$LAB/packages"
  without_starting apt-get -qq "${options[@]}" install "$@" >>"$LAB/log/apt.log" 2>&1
}

installed() { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | awk '$1 == "ii" { print $2 }'; }

# missing PACKAGE… prints those that are not installed.
missing() {
  local have
  have=$(installed "$@" || true)
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$have")
}
