# shellcheck shell=bash
# The double of the Proxmox API (test/proxmox), with the lab's containers as its guests.

PVE_PROCESS=mooring-pve
PVE_PROJECT=mooring-pve
PVE_FOLDER=$LAB/proxmox

# Node that runs TypeScript as it is: the one of the workspace's packages.
workspace_node() {
  local node=$HERE/../../node_modules/.bin/node
  [ -x "$node" ] || fail "the double needs the Node of the workspace's packages" 'npm ci'
  printf '%s\n' "$node"
}

# What the double is made of; one that was started from something else is started again.
proxmox_sources() {
  (cd "$HERE/../.." && find test/proxmox tools/executors/src/platforms/proxmox -name '*.ts' ! -name '*.test.ts' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
}

start_proxmox() {
  local i node sources
  sources=$(proxmox_sources)
  if own_pid $PVE_PROCESS >/dev/null; then
    NOTE="https://127.0.0.1:$PVE_PORT"
    [ "$(cat "$LAB/run/$PVE_PROCESS.sources" 2>/dev/null)" != "$sources" ] || return 0
    stop_process $PVE_PROCESS
  fi
  NOTE="https://127.0.0.1:$PVE_PORT"
  if timeout 1 bash -c ": </dev/tcp/127.0.0.1/$PVE_PORT" 2>/dev/null; then
    fail "something that the lab did not start listens on 127.0.0.1:$PVE_PORT" 'MOORING_LAB_PVE_PORT=28106 test/lab/lab.sh proxmox'
  fi
  node=$(workspace_node)
  rm -f "$PVE_FOLDER/control.sock"
  spawn $PVE_PROCESS "$node" "$HERE/../proxmox/serve.ts" "$PVE_FOLDER" --port "$PVE_PORT" --project $PVE_PROJECT
  for i in $(seq 100); do
    if [ -S "$PVE_FOLDER/control.sock" ] && own_pid $PVE_PROCESS >/dev/null; then
      printf '%s\n' "$sources" >"$LAB/run/$PVE_PROCESS.sources"
      return 0
    fi
    sleep 0.1
  done
  tail -n 5 "$LAB/log/$PVE_PROCESS.log" >&2
  fail "the double did not start (the last lines are above, all of it is in $LAB/log/$PVE_PROCESS.log)" 'test/lab/lab.sh proxmox'
}

# connect_environments ENVIRONMENT… gives each a token of its own.
connect_environments() {
  NOTE=$("$(workspace_node)" "$HERE/../proxmox/environment.ts" "$PVE_FOLDER" --workspace "$WORKSPACE" --lab "$LAB" --port "$PVE_PORT" "$@") || exit 1
}

remove_proxmox() {
  rm -rf --one-file-system "$PVE_FOLDER"
  rm -f "$WORKSPACE/.lab/proxmox-ca.pem" "$WORKSPACE/.lab/proxmox.json"
  NOTE="$PVE_FOLDER"
}

# Guests and state only; the lab stays.
verb_proxmox_remove() {
  local name
  step proxmox stop_process $PVE_PROCESS
  step applications stop_apps
  if answers; then
    for name in $(incus list --project $PVE_PROJECT --format csv -c n 2>/dev/null || true); do
      step "guest $name" delete_instance $PVE_PROJECT "$name" </dev/null
    done
    incus project delete $PVE_PROJECT >/dev/null 2>&1 || true
  fi
  step 'proxmox state' remove_proxmox
  step 'applications state' remove_apps
}
