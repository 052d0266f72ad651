# shellcheck shell=bash
# The machine itself: QEMU without KVM, its disks, its saved states, and the way in.

QEMU=qemu-system-x86_64
DISKS=(root tank dozer)

# What a saved state depends on besides the disks. No hpet, no usb, no display: each device costs emulation. The balloon does not report free
# pages: the guest and QEMU then spend more time on that than on all the work. What was translated is kept as long as it can be: 1 GiB, half of
# the most there is, was full, and so all of it thrown away and done again, every few minutes.
machine_arguments() {
  printf '%s\n' -name "$SSH_ALIAS" -machine q35,hpet=off,usb=off,vmport=off -accel tcg,thread=multi,tb-size=2047 \
    -cpu qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+aes,+pclmulqdq,+cx16 -smp 2 -m "$MEMORY" \
    -nodefaults -no-user-config -display none -no-reboot -rtc base=utc \
    -append "console=ttyS0 root=/dev/vda rw rootfstype=ext4 $(kernel_arguments)" \
    -device virtio-net-pci,netdev=n0,romfile= -device virtio-rng-pci -device virtio-balloon-pci
}

# Without `tsc=reliable` the kernel mistrusts an emulated TSC and reads the clock from an I/O port, for which QEMU takes its global lock: each
# look at the clock, and there are many, then stops both processors. The rest is what a kernel does for its safety or its statistics.
kernel_arguments() {
  printf '%s ' tsc=reliable no_timer_check nowatchdog nokaslr random.trust_cpu=1 mitigations=off init_on_alloc=0 hardened_usercopy=off \
    randomize_kstack_offset=off lsm=capability apparmor=0 audit=0 psi=0 rcupdate.rcu_expedited=1 cgroup_no_v1=all loglevel=4
}

vm_pid() {
  local pid
  pid=$(cat "$RUN/pid" 2>/dev/null) && [ -n "$pid" ] || return 1
  # Another process may have its number by now.
  tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qx "$RUN/pid" && printf '%s\n' "$pid"
}

running() { vm_pid >/dev/null; }

# start_vm ARGUMENT… from the disks in the run folder.
start_vm() {
  local arguments=() disk kernel i
  mapfile -t arguments < <(machine_arguments)
  for disk in "${DISKS[@]}"; do
    arguments+=(-drive "if=none,id=$disk,file=$RUN/$disk.qcow2,format=qcow2,cache=unsafe,discard=unmap" -device "virtio-blk-pci,drive=$disk")
  done
  kernel=$(part disk)
  ! timeout 1 bash -c ": </dev/tcp/127.0.0.1/$PORT" 2>/dev/null ||
    fail "something that is not this machine listens on 127.0.0.1:$PORT" "MOORING_VM_PORT=22423 $HERE/vm.sh up"
  rm -f "$RUN/pid" "$RUN/monitor"
  setsid nohup "$QEMU" -netdev "user,id=n0,hostfwd=tcp:127.0.0.1:$PORT-:22" "${arguments[@]}" -kernel "$kernel/vmlinuz" -initrd "$kernel/initrd" \
    -serial "file:$RUN/serial.log" -qmp "unix:$RUN/monitor,server=on,wait=off" -pidfile "$RUN/pid" "$@" >"$RUN/qemu.log" 2>&1 </dev/null 9>&- &
  for i in $(seq 100); do
    [ -S "$RUN/monitor" ] && running && be_as_nice && return
    sleep 0.1
  done
  died
}

# A session of its own is scheduled as a group of its own, within which alone a niceness counts: sched(7), "The autogroup feature".
be_as_nice() {
  local group
  group=/proc/$(vm_pid)/autogroup
  [ "$(nice)" -eq 0 ] || [ ! -e "$group" ] || nice >"$group"
}

died() { fail "QEMU did not start, or has ended: $(tail -n 3 "$RUN/qemu.log" | tr '\n' ' ')" "$HERE/vm.sh up; its log: $RUN/qemu.log"; }

# monitor COMMAND… of QEMU's human monitor; fails with what it says.
monitor() { node "$HERE/lib/monitor.mjs" "$RUN/monitor" "$*"; }

inside() { timeout "${INSIDE_TIMEOUT:-60}" ssh -F "$RUN/ssh_config" "$SSH_ALIAS" "$@"; }

write_vm_ssh_config() {
  local disk
  disk=$(part disk)
  install -m 0600 "$disk/id" "$RUN/id"
  printf '[127.0.0.1]:%s %s\n' "$PORT" "$(cut -d' ' -f1,2 "$disk/host.pub")" >"$RUN/known_hosts"
  cat >"$RUN/ssh_config" <<E
Host $SSH_ALIAS
  User root
Host $SSH_ALIAS-deploy
  User deploy
Host $SSH_ALIAS $SSH_ALIAS-deploy
  HostName 127.0.0.1
  Port $PORT
  IdentityFile "$RUN/id"
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking yes
  UserKnownHostsFile "$RUN/known_hosts"
  GlobalKnownHostsFile /dev/null
E
}

# wait_for_ssh SECONDS
wait_for_ssh() {
  local end=$((SECONDS + $1))
  until INSIDE_TIMEOUT=8 inside true </dev/null 2>/dev/null; do
    running || died
    [ $SECONDS -lt $end ] || fail "the machine does not answer over SSH after $1 s (its console: $RUN/serial.log)" "$HERE/vm.sh stop; $HERE/vm.sh up"
    sleep 0.2
  done
}

# A restored machine has the time at which it was saved, and the memory that was left to it then.
wake() {
  monitor balloon "$MEMORY" >/dev/null
  wait_for_ssh 60
  inside "date -s @$EPOCHSECONDS" >/dev/null </dev/null
}

# bring_up TAG starts the machine in that state, from the build's own disks when there are none yet or of another build.
bring_up() {
  local ready disk
  ready=$(part ready)
  mkdir -p "$RUN"
  if [ "$(cat "$RUN/build" 2>/dev/null)" != "$ready" ]; then
    rm -f "$RUN/build"
    for disk in "${DISKS[@]}"; do cp --reflink=auto --sparse=always "$ready/$disk.qcow2" "$RUN/$disk.qcow2"; done
    echo "$ready" >"$RUN/build"
  fi
  saved_states | grep -qx "$1" || fail "there is no saved state '$1' (there are: $(saved_states | tr '\n' ' '))" "$HERE/vm.sh up"
  write_vm_ssh_config
  start_vm -loadvm "$1"
  wake
  NOTE="state $1, pid $(vm_pid); ssh -F $RUN/ssh_config $SSH_ALIAS"
}

reset_to() {
  monitor loadvm "$1"
  wake
}

# What the guest does not need is given back first: the state is the smaller for it, and the faster to restore.
save_state() {
  local used
  running || fail 'the machine does not run' "$HERE/vm.sh up"
  INSIDE_TIMEOUT=300 inside 'sync; zpool sync; echo 3 >/proc/sys/vm/drop_caches' </dev/null
  used=$(inside "awk '/^MemTotal/ { t = \$2 } /^MemAvailable/ { a = \$2 } END { print int((t - a) / 1024) }' /proc/meminfo" </dev/null)
  monitor balloon $((used + 500 < MEMORY ? used + 500 : MEMORY)) >/dev/null
  sleep 4
  monitor savevm "$1"
  monitor balloon "$MEMORY" >/dev/null
  NOTE="$used MiB in use"
}

saved_states() {
  [ -e "$RUN/root.qcow2" ] || return 0
  qemu-img info -U --output=json "$RUN/root.qcow2" | jq -r '(.snapshots // [])[].name'
}

stop_vm() {
  local pid i
  NOTE='does not run'
  pid=$(vm_pid) || return 0
  kill "$pid"
  for i in $(seq 100); do
    running || break
    [ "$i" != 80 ] || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.1
  done
  rm -f "$RUN/pid" "$RUN/monitor"
  NOTE="pid $pid ended"
}
