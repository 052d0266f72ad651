# shellcheck shell=bash
# What the sample applications (infra/apps) need beside a Proxmox: a git server and a package index that guests reach, keys, secrets.

GIT_PROCESS=mooring-git
WHEELS_PROCESS=mooring-wheels
APPS_FOLDER=$LAB/apps
SAMPLE_GATEWAY=10.77.0.1

gateway() { incus network get $NETWORK ipv4.address | cut -d/ -f1; }

# A bare repository of each sample; a sample that has changed in the workspace is a new commit on main.
make_repositories() {
  local app bare work made=''
  mkdir -p "$APPS_FOLDER/git"
  for app in notes pote; do
    bare=$APPS_FOLDER/git/$app.git
    work=$APPS_FOLDER/work-$app
    [ -d "$bare" ] || git init -q --bare -b main "$bare"
    rm -rf "$work"
    git clone -q "$bare" "$work" 2>/dev/null
    git -C "$work" checkout -q -B main
    find "$work" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
    cp -R "$WORKSPACE/infra/apps/$app/sample/." "$work"
    git -C "$work" add -A
    if ! git -C "$work" rev-parse -q --verify HEAD >/dev/null || ! git -C "$work" diff --cached --quiet; then
      git -C "$work" -c user.name=lab -c user.email=lab@localhost commit -q -m 'The sample of the workspace'
      git -C "$work" push -q origin main
      made+=" $app"
    fi
    rm -rf "$work"
  done
  NOTE="${made:- nothing new}"
  NOTE=${NOTE# }
}

# An sshd that lets one key read the repositories, and do nothing else.
start_git_server() {
  local keys=$APPS_FOLDER/keys i
  NOTE="ssh://root@$(gateway):$GIT_PORT"
  mkdir -p "$keys" /run/sshd
  for i in git_host deploy guests; do
    [ -f "$keys/$i" ] || ssh-keygen -q -t ed25519 -N '' -C "mooring-lab-$i" -f "$keys/$i"
  done
  own_pid $GIT_PROCESS >/dev/null && return
  cat >"$APPS_FOLDER/serve" <<SERVE
#!/bin/sh
# The path of a URL is below the lab's folder; only reading is allowed.
case \$SSH_ORIGINAL_COMMAND in
  "git-upload-pack '/notes.git'") exec git-upload-pack '$APPS_FOLDER/git/notes.git' ;;
  "git-upload-pack '/pote.git'") exec git-upload-pack '$APPS_FOLDER/git/pote.git' ;;
esac
echo 'this key may read notes.git and pote.git' >&2
exit 1
SERVE
  chmod 0755 "$APPS_FOLDER/serve"
  printf 'restrict,command="%s" %s\n' "$APPS_FOLDER/serve" "$(cat "$keys/deploy.pub")" >"$keys/authorized_keys"
  SSH_PORT=$GIT_PORT sshd_settings | sed -e "s|^ListenAddress .*|ListenAddress $(gateway)|" -e "s|^HostKey .*|HostKey $keys/git_host|" \
    -e "s|^AuthorizedKeysFile .*|AuthorizedKeysFile $keys/authorized_keys|" >"$APPS_FOLDER/sshd_config"
  # Under a name of its own: a process of the lab is known by it.
  ln -sf /usr/sbin/sshd "$APPS_FOLDER/$GIT_PROCESS"
  spawn $GIT_PROCESS "$APPS_FOLDER/$GIT_PROCESS" -D -f "$APPS_FOLDER/sshd_config" -E "$LAB/log/$GIT_PROCESS.log"
  wait_port "$(gateway)" "$GIT_PORT" || fail "the git server did not start (its log: $LAB/log/$GIT_PROCESS.log)" 'test/lab/lab.sh proxmox'
}

# The packages that pote's requirements name, got by this machine in its own way: guests need not reach the Internet.
start_wheels() {
  local folder=$APPS_FOLDER/wheels requirements=$WORKSPACE/infra/apps/pote/sample/requirements.txt
  NOTE="http://$(gateway):$WHEELS_PORT"
  if ! cmp -s "$requirements" "$folder/requirements.txt"; then
    rm -rf "$folder"
    mkdir -p "$folder"
    python3 -m pip download --quiet --disable-pip-version-check --require-hashes -r "$requirements" -d "$folder" ||
      fail 'the Python packages of the sample application cannot be had' "python3 -m pip download --require-hashes -r $requirements"
    cp "$requirements" "$folder/requirements.txt"
  fi
  own_pid $WHEELS_PROCESS >/dev/null && return
  spawn $WHEELS_PROCESS "$(workspace_node)" "$HERE/serve-folder.mjs" "$folder" "$(gateway)" "$WHEELS_PORT" $WHEELS_PROCESS
  wait_port "$(gateway)" "$WHEELS_PORT" || fail "the package index did not start (its log: $LAB/log/$WHEELS_PROCESS.log)" 'test/lab/lab.sh proxmox'
}

wait_port() {
  local i
  for i in $(seq 50); do
    timeout 1 bash -c ": </dev/tcp/$1/$2" 2>/dev/null && return
    sleep 0.1
  done
  return 1
}

# Keys and secrets of the environments in the workspace.
write_app_files() {
  local keys=$APPS_FOLDER/keys folder=$WORKSPACE/.lab environment
  [ "$(gateway)" = $SAMPLE_GATEWAY ] ||
    fail "the sample environments are written for the network of $SAMPLE_GATEWAY, and the lab's gateway is $(gateway)" \
      "MOORING_LAB_SUBNET=${SAMPLE_GATEWAY%.*} with a new lab, or change ip and gateway in infra/apps/*/app.json"
  mkdir -p "$folder"
  cp "$keys/guests.pub" "$keys/git_host.pub" "$folder"
  printf 'Host *\n  IdentityFile "%s"\n  IdentitiesOnly yes\n  IdentityAgent none\n' "$keys/guests" >"$folder/guests_ssh_config"
  for environment in "$@"; do
    "$(workspace_node)" "$HERE/secrets.mjs" "$environment" --workspace "$WORKSPACE" --lab "$LAB" --only POTE_DATABASE_PASSWORD >/dev/null || exit 1
    put_secret "$environment" GIT_DEPLOY_KEY "$keys/deploy"
  done
  NOTE="$* in .secrets and .lab"
}

# put_secret ENVIRONMENT NAME FILE writes a file of several lines as one secret, in place of an earlier one.
put_secret() {
  local file=$WORKSPACE/.secrets/$1.env
  (
    umask 077
    grep -v "^$2=" "$file" >"$file.part" || true
    printf '%s="%s"\n' "$2" "$(sed 's/$/\\n/' "$3" | tr -d '\n')" >>"$file.part"
    mv -f "$file.part" "$file"
  )
}

stop_apps() {
  local note=''
  stop_process $GIT_PROCESS
  note="git $NOTE"
  stop_process $WHEELS_PROCESS
  NOTE="$note, wheels $NOTE"
}

remove_apps() {
  rm -rf --one-file-system "$APPS_FOLDER"
  rm -f "$WORKSPACE"/.lab/guests.pub "$WORKSPACE"/.lab/git_host.pub "$WORKSPACE"/.lab/guests_ssh_config "$WORKSPACE"/.lab/guests_known_hosts
  NOTE=$APPS_FOLDER
}
