# shellcheck shell=sh
# With asked. reload_sshd: the files are checked, then every sshd that listens reads them again, whatever its unit is called. One that a socket
# starts for the next connection reads them by itself. A log-in's own process may listen too, for what it forwards: in the service's cgroup or
# in none of a service, so that each service is told once and a log-in never.

services_of_sshd() {
  printf '%s\n' "$1" | sed -n 's/.*"sshd",pid=\([0-9]*\),.*/\1/p' | while read -r pid; do
    sed -n 's|.*/\([^/]*\.service\)$|\1|p' "/proc/$pid/cgroup"
  done | sort -u
}
reload_sshd() {
  asked -t && listening=$(ss -Hltnp) || return 1
  for unit in $(services_of_sshd "$listening"); do
    if [ "$(systemctl show --value -p CanReload "$unit")" = yes ]; then systemctl reload "$unit" || return 1
    else kill -HUP "$(systemctl show --value -p MainPID "$unit")" || return 1; fi
  done
}
