# shellcheck shell=bash
# lxcfs and incusd: by systemd where it is PID 1, else as processes of the lab with a pid file each.

answers() { [ -S /var/lib/incus/unix.socket ] && timeout 10 incus query /1.0 >/dev/null 2>&1; }

# A pid alone may be somebody else's after a reboot: the start time must be the same too.
# A zombie has none: it is gone, its parent has only not noticed yet.
start_time() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }

remember_process() { printf '%s %s\n' "$2" "$(start_time "$2")" >"$LAB/run/$1.pid"; }

# own_pid NAME prints the pid of a process that the lab started and that still is that process.
own_pid() {
  local pid started
  [ -s "$LAB/run/$1.pid" ] || return 1
  read -r pid started <"$LAB/run/$1.pid"
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] && [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] || return 1
  printf '%s\n' "$pid"
}

spawn() {
  local name=$1
  shift
  # The lock's descriptor must not live on in a daemon.
  setsid nohup env -u INCUS_CONF -u INCUS_REMOTE -u INCUS_PROJECT "$@" >>"$LAB/log/$name.log" 2>&1 </dev/null 9>&- &
  remember_process "$name" $!
}

stop_process() {
  local pid i
  if ! pid=$(own_pid "$1"); then
    rm -f "$LAB/run/$1.pid"
    NOTE='not running'
    return
  fi
  kill "$pid"
  for i in $(seq 100); do
    own_pid "$1" >/dev/null || break
    [ "$i" != 80 ] || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.1
  done
  rm -f "$LAB/run/$1.pid"
  NOTE="pid $pid stopped"
}

# What is raised is written down, so that `remove` puts it back.
raise() {
  local file=/proc/sys/$1 value
  [ -w "$file" ] || return 0
  value=$(cat "$file")
  [ "$value" -lt "$2" ] || return 0
  grep -qs "^$1 " "$LAB/sysctl" || printf '%s %s\n' "$1" "$value" >>"$LAB/sysctl"
  echo "$2" >"$file" 2>/dev/null || true
}

raise_limits() {
  raise fs/inotify/max_user_watches 1048576
  # The default of 128 is used up by a handful of containers with systemd.
  raise fs/inotify/max_user_instances 1024
  raise kernel/keys/maxkeys 2000
}

lxcfs_works() { mountpoint -q /var/lib/lxcfs 2>/dev/null && [ -r /var/lib/lxcfs/proc/meminfo ]; }

start_daemons() {
  if answers && { [ "$SYSTEMD" = 1 ] || lxcfs_works || incus_is_existing; }; then
    NOTE='running'
    return
  fi
  if [ "$SYSTEMD" = 1 ]; then start_units; else start_processes; fi
  "$(incusd_path)" waitready --timeout=120 || fail "incusd does not answer (its log: $LAB/log/incusd.log, or: journalctl -u incus)" 'test/lab/lab.sh status'
  NOTE='started'
}

# incus.service requires lxcfs.service itself, and an lxcfs that may not start there must not stand in its way.
start_units() {
  local unit
  for unit in lxcfs.service incus.socket incus.service; do
    systemctl is-active -q $unit || grep -qsx $unit "$LAB/units" || echo $unit >>"$LAB/units"
  done
  systemctl reset-failed incus.service lxcfs.service 2>/dev/null || true
  # A socket unit that is active without its socket is left of an Incus that was removed.
  [ -S /var/lib/incus/unix.socket ] || systemctl stop incus.socket
  systemctl start incus.socket incus.service
}

start_processes() {
  if ! incus_is_existing; then start_lxcfs; fi
  answers && return
  mkdir -p /var/log/incus /run/incus
  local group=()
  ! getent group incus-admin >/dev/null || group=(--group incus-admin)
  ulimit -n "$(ulimit -Hn)"
  spawn incusd "$(incusd_path)" "${group[@]}" --verbose
}

start_lxcfs() {
  local i
  lxcfs_works && return
  # A killed lxcfs leaves a mount on which everything fails.
  umount -l /var/lib/lxcfs 2>/dev/null || true
  mkdir -p /var/lib/lxcfs
  spawn lxcfs /usr/bin/lxcfs /var/lib/lxcfs
  for i in $(seq 50); do lxcfs_works && break; sleep 0.1; done
  lxcfs_works || fail "lxcfs did not start (its log: $LAB/log/lxcfs.log)" 'test/lab/lab.sh status'
  touch "$LAB/run/lxcfs-fresh"
}

# Instances that outlived their lxcfs have a dead /proc/meminfo until they are restarted.
resume_instances() {
  local name project
  if [ -e "$LAB/run/lxcfs-fresh" ]; then
    while read -r project name; do
      incus exec --project "$project" "$name" -- cat /proc/meminfo >/dev/null 2>&1 ||
        incus restart --project "$project" --timeout 30 "$name" 2>/dev/null || incus restart --project "$project" --force "$name"
    done < <(running_instances)
    rm -f "$LAB/run/lxcfs-fresh"
  fi
  if [ -s "$LAB/stopped" ]; then
    while read -r project name; do incus start --project "$project" "$name" 2>/dev/null || true; done <"$LAB/stopped"
  fi
  rm -f "$LAB/stopped"
  NOTE="$(running_instances | wc -l) running"
}

running_instances() { incus list --all-projects --format csv -c es,n 2>/dev/null | awk -F, '$2 == "RUNNING" { print $1, $3 }'; }

verb_down() {
  [ -d "$LAB" ] || { echo 'there is no lab on this machine'; return; }
  step sshd stop_process sshd
  step proxmox stop_process $PVE_PROCESS
  step applications stop_apps
  if incus_is_own || own_pid incusd >/dev/null || [ -s "$LAB/units" ]; then
    step instances shutdown_incus
    step daemons stop_daemons
  else
    step instances stop_lab_instances
  fi
}

# Incus's own shutdown stops the instances and keeps in mind which ones to start again.
shutdown_incus() {
  if ! answers; then
    NOTE='Incus is not running'
    return
  fi
  NOTE="$(running_instances | wc -l) stopped"
  timeout 120 incus admin shutdown --timeout 60 >>"$LAB/log/incusd.log" 2>&1 || true
}

stop_daemons() {
  local note='' name
  if [ "$SYSTEMD" = 1 ]; then
    if incus_is_own; then
      systemctl stop incus.socket incus.service lxcfs.service
    elif [ -s "$LAB/units" ]; then
      xargs systemctl stop <"$LAB/units"
    fi
    rm -f "$LAB/units"
    NOTE='units stopped'
    return
  fi
  wait_gone incusd
  for name in incusd lxcfs; do
    stop_process $name
    note+="$name $NOTE; "
  done
  ! mountpoint -q /var/lib/lxcfs 2>/dev/null || umount -l /var/lib/lxcfs
  NOTE=${note%; }
}

wait_gone() {
  local i
  for i in $(seq 100); do own_pid "$1" >/dev/null || return 0; sleep 0.1; done
}

# On an Incus of somebody else's only the lab's instances are stopped; `up` starts the same ones again.
stop_lab_instances() {
  NOTE='none'
  answers || return 0
  lab_instances | while read -r project name; do
    [ "$(incus list --project "$project" --format csv -c s "^$name\$")" = RUNNING ] || continue
    echo "$project $name" >>"$LAB/stopped"
    incus stop --project "$project" --timeout 60 "$name" || incus stop --project "$project" --force "$name"
  done
  touch "$LAB/stopped"
  NOTE="$(wc -l <"$LAB/stopped") stopped; Incus goes on, the lab did not start it"
}
