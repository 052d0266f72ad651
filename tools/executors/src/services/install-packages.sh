# shellcheck shell=sh
# PACKAGE …: installs them, without asking and without removing any. The lists are fetched where there are none, or where apt cannot get a
# package by those that are there; a dpkg that was interrupted is brought to its end first. A lock of another apt is waited for.

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 NEEDRESTART_SUSPEND=1
said=$(mktemp -p /run); trap 'rm -f "$said"' EXIT
apt() {
  apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o APT::Update::Error-Mode=any -o Acquire::Retries=2 --no-install-recommends --no-remove "$@" 2>"$said"
}
update() {
  left=150
  until apt update; do
    if ! grep -q 'Could not get lock' "$said" || [ "$left" -le 0 ]; then cat "$said" >&2; return 0; fi
    left=$((left - 1)); sleep 2
  done
}
set -- install -- "$@"
for list in /var/lib/apt/lists/*_Packages*; do break; done
[ -e "$list" ] || update
if apt "$@"; then exit 0; fi
if grep -q 'dpkg --configure -a' "$said"; then
  dpkg --force-confdef --force-confold --configure -a || true
  if apt "$@"; then exit 0; fi
fi
if grep -qE 'Unable to locate|no installation candidate|Failed to fetch|Unable to fetch|Unmet dependencies|unmet dependencies|held broken packages|needs to be reinstalled' "$said"; then
  update
  if grep -qiE 'unmet dependencies' "$said"; then apt --fix-broken install || cat "$said" >&2; fi
  if apt "$@"; then exit 0; fi
fi
cat "$said" >&2
exit 100
