#!/usr/bin/env bash
# The acceptance lab: a virtual machine with real Incus on real OpenZFS. See README.md beside this file.
# shellcheck source-path=SCRIPTDIR
set -Eeuo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
umask 022

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB=${MOORING_VM_DIR:-/var/lib/mooring-acceptance}
CACHE=${MOORING_VM_CACHE:-/var/cache/nx-mooring/acceptance}
RUN=${MOORING_VM_RUN:-$LAB/vm}
PORT=${MOORING_VM_PORT:-22422}
MEMORY=${MOORING_VM_MEMORY:-4096}
VM_SUITE=trixie
KERNEL=cloud-amd64
NETWORK=veza-net0
PROJECT=veza-acceptance
SSH_ALIAS=veza-acceptance

# shellcheck source=../lab/lib/common.sh
. "$HERE/../lab/lib/common.sh"
# shellcheck source=../lab/lib/apt.sh
. "$HERE/../lab/lib/apt.sh"
# shellcheck source=../lab/lib/packages.sh
. "$HERE/../lab/lib/packages.sh"
# shellcheck source=../lab/lib/image.sh
. "$HERE/../lab/lib/image.sh"
# shellcheck source=../lab/lib/remove.sh
. "$HERE/../lab/lib/remove.sh"
# shellcheck source=lib/tools.sh
. "$HERE/lib/tools.sh"
# shellcheck source=lib/parts.sh
. "$HERE/lib/parts.sh"
# shellcheck source=lib/modules.sh
. "$HERE/lib/modules.sh"
# shellcheck source=lib/image.sh
. "$HERE/lib/image.sh"
# shellcheck source=lib/disk.sh
. "$HERE/lib/disk.sh"
# shellcheck source=lib/machine.sh
. "$HERE/lib/machine.sh"
# shellcheck source=lib/ready.sh
. "$HERE/lib/ready.sh"

usage() {
  cat <<E2
Usage: test/acceptance/vm.sh VERB

  build         install QEMU, then build what is not kept of: ZFS modules, container image, disk, the state "ready"
  up [TAG]      build, then start the machine in the state TAG ("ready" when left out); nothing if it runs
  reset [TAG]   put the machine back to the state TAG ("ready")
  save TAG      save the state of the running machine
  ssh …         run a command in it, as root
  status        what is kept and what runs
  stop          end the machine; its saved states are kept
  remove        end it, and take away its folder, what is kept of builds, and the packages that were installed for it

Environment: MOORING_VM_RUN ($RUN) and MOORING_VM_PORT ($PORT): another machine of the same build;
  MOORING_VM_CACHE ($CACHE), MOORING_VM_DIR ($LAB), MOORING_VM_MEMORY ($MEMORY MiB)
E2
}

verb_build() {
  step packages install_tools
  step versions know_versions
  step parts build_parts
  step ready build_ready
}

verb_up() {
  if running; then
    NOTE="runs already, pid $(vm_pid)"
    step machine true
    return
  fi
  verb_build
  step machine bring_up "${1:-ready}"
}

verb_reset() {
  running || { verb_up "$1"; return; }
  step "reset to $1" reset_to "$1"
}

verb_status() {
  printf 'machine  %s\n' "$(if running; then echo "pid $(vm_pid), 127.0.0.1:$PORT, $RUN"; else echo 'does not run'; fi)"
  printf 'states   %s\n' "$(saved_states | tr '\n' ' ')"
  printf 'kept     %s\n' "$(du -sh "$CACHE" 2>/dev/null | cut -f1 || echo nothing)"
  ls "$CACHE/parts" 2>/dev/null | sed 's/^/         /'
}

verb_remove() {
  step machine stop_vm
  step packages purge_packages
  rm -rf --one-file-system "$RUN" "$LAB" "$CACHE"
}

main() {
  local verb=${1:-}
  [ $# -eq 0 ] || shift
  case $verb in
    help | -h | --help) usage; return ;;
    build | up | reset | save | ssh | status | stop | remove) ;;
    *) usage >&2; exit 1 ;;
  esac
  [ "$verb" != ssh ] || exec ssh -F "$RUN/ssh_config" "$SSH_ALIAS" "$@"
  know_machine
  [ "$verb" != status ] || { verb_status; return; }
  [ "$(id -u)" = 0 ] || fail "'$verb' needs root: it installs packages and makes root file systems" "sudo -E $HERE/vm.sh $verb"
  make_state_folder
  take_vm_lock
  # Not where it was typed: root file systems are made, and their tools look for the working folder.
  cd "$LAB"
  case $verb in
    build) verb_build ;;
    up) verb_up "${1:-ready}" ;;
    reset) verb_reset "${1:-ready}" ;;
    save) [ -n "${1:-}" ] || { usage >&2; exit 1; }; step "save $1" save_state "$1" ;;
    stop) step machine stop_vm ;;
    remove) verb_remove ;;
  esac
  say_total
}

main "$@"
