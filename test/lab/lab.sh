#!/usr/bin/env bash
# The lab: a real Incus host on this machine, for `local` and `staging` and for the tests. See README.md beside this file.
# shellcheck source-path=SCRIPTDIR
set -Eeuo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
umask 022

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORKSPACE=${MOORING_WORKSPACE:-$(cd "$HERE/../.." && pwd)}
LAB=${MOORING_LAB_DIR:-/var/lib/mooring-lab}
CACHE=${MOORING_LAB_CACHE:-/var/cache/mooring-lab}
NETWORK=veza-net0
POOL=lab POOL_DIR=labdir
POOL_SIZE=${MOORING_LAB_POOL_SIZE:-30GiB}
STAGING_PROJECT=veza-staging
SSH_ALIAS=veza-staging
SSH_PORT=${MOORING_LAB_SSH_PORT:-22022}
PVE_PORT=${MOORING_LAB_PVE_PORT:-28006}
GIT_PORT=${MOORING_LAB_GIT_PORT:-22024}
WHEELS_PORT=${MOORING_LAB_WHEELS_PORT:-28007}
BASE_ALIAS=mooring-base
MARK=user.mooring.lab

# shellcheck source=lib/common.sh
. "$HERE/lib/common.sh"
# shellcheck source=lib/apt.sh
. "$HERE/lib/apt.sh"
# shellcheck source=lib/packages.sh
. "$HERE/lib/packages.sh"
# shellcheck source=lib/daemons.sh
. "$HERE/lib/daemons.sh"
# shellcheck source=lib/incus.sh
. "$HERE/lib/incus.sh"
# shellcheck source=lib/image.sh
. "$HERE/lib/image.sh"
# shellcheck source=lib/ssh.sh
. "$HERE/lib/ssh.sh"
# shellcheck source=lib/proxmox.sh
. "$HERE/lib/proxmox.sh"
# shellcheck source=lib/go.sh
. "$HERE/lib/go.sh"
# shellcheck source=lib/apps.sh
. "$HERE/lib/apps.sh"
# shellcheck source=lib/remove.sh
. "$HERE/lib/remove.sh"

usage() {
  cat <<E
Usage: test/lab/lab.sh VERB [--use-existing] [--cache] [--all]

  needs      what 'up' would install and start; changes nothing
  up         install what is missing, start Incus, make network, pools, profiles and images
  staging    up, and: Incus project $STAGING_PROJECT, sshd on 127.0.0.1:$SSH_PORT, .lab/ssh_config, staging secrets
  proxmox    up, and: the double of the Proxmox API on 127.0.0.1:$PVE_PORT with containers as its guests, connected for dev and qa;
             a git server and a package index for the sample applications
  proxmox-stop    stop the double's process only
  proxmox-remove  take away the double, its guests and its state
  status     what is there and what runs
  down       stop the instances, then the processes the lab started; everything is kept
  sshd-stop  stop the lab's sshd only
  go         install Go from Debian if there is none of 1.21 or newer (MinIO is built with it)
             --print  only say where it is
  shellcheck install shellcheck, which the tests check scripts with
  remove     take away all that the lab made, and only that
             --cache  the kept image as well    --all  on the lab's own Incus: what others made in it too

  --use-existing  make the lab on an Incus that was on this machine before it

Environment: MOORING_LAB_DIR ($LAB), MOORING_LAB_CACHE ($CACHE), MOORING_LAB_SUITES (the machine's own),
  MOORING_LAB_SUBNET (first free /24), MOORING_LAB_POOL_SIZE ($POOL_SIZE), MOORING_LAB_SSH_PORT ($SSH_PORT), MOORING_LAB_PVE_PORT ($PVE_PORT),
  MOORING_LAB_GIT_PORT ($GIT_PORT), MOORING_LAB_WHEELS_PORT ($WHEELS_PORT), MOORING_WORKSPACE
E
}

verb_up() {
  guard_existing
  step packages install_packages
  step limits raise_limits
  step daemons start_daemons
  guard_server
  step network make_network
  step pools make_pools
  step profiles make_profiles default
  local suite
  for suite in $(suites); do step "image $suite" make_image "$suite"; done
  step instances resume_instances
}

verb_staging() {
  verb_up
  step project make_project
  step 'staging profiles' make_profiles "$STAGING_PROJECT"
  step 'ssh packages' install_ssh
  step sshd start_sshd
  step 'ssh configuration' write_ssh_config
  step secrets make_secrets staging
}

verb_proxmox() {
  verb_up
  step 'ssh packages' install_ssh
  step 'image of guests' make_guest_image
  step proxmox start_proxmox
  step environments connect_environments dev qa
  step repositories make_repositories
  step 'git server' start_git_server
  step 'package index' start_wheels
  step applications write_app_files dev qa
}

main() {
  local verb=${1:-}
  [ $# -eq 0 ] || shift
  USE_EXISTING=0 WITH_CACHE=0 REMOVE_ALL=0 PRINT_ONLY=0
  for arg in "$@"; do
    case $arg in
      --use-existing) USE_EXISTING=1 ;;
      --cache) WITH_CACHE=1 ;;
      --all) REMOVE_ALL=1 ;;
      --print) PRINT_ONLY=1 ;;
      *) usage >&2; fail "unknown option: $arg" ;;
    esac
  done
  case $verb in
    help | -h | --help) usage; return ;;
    up | down | remove | staging | proxmox | proxmox-stop | proxmox-remove | status | needs | sshd-stop | go | shellcheck) ;;
    '') usage >&2; exit 1 ;;
    *) usage >&2; fail "unknown verb: $verb" ;;
  esac
  know_machine
  case $verb in
    needs) verb_needs; return ;;
    status) verb_status; return ;;
    go) [ $PRINT_ONLY = 0 ] || { new_enough_go; return; } ;;
  esac
  need_root "$verb"
  take_lock
  case $verb in
    up) verb_up ;;
    staging) verb_staging ;;
    proxmox) verb_proxmox ;;
    proxmox-stop) step proxmox stop_process $PVE_PROCESS; step applications stop_apps ;;
    proxmox-remove) verb_proxmox_remove ;;
    down) verb_down ;;
    remove) verb_remove ;;
    go) step go install_go ;;
    shellcheck) step shellcheck install_shellcheck ;;
    sshd-stop) step sshd stop_process sshd ;;
  esac
  say_total
}

main "$@"
