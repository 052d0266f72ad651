# shellcheck shell=bash
# A loopback sshd with keys of its own: the remote path for real, without touching the machine's sshd or ~/.ssh.

start_sshd() {
  local ssh=$LAB/ssh
  NOTE="127.0.0.1:$SSH_PORT"
  own_pid sshd >/dev/null && return
  mkdir -p /run/sshd
  [ -f "$ssh/host" ] || ssh-keygen -q -t ed25519 -N '' -C mooring-lab-host -f "$ssh/host"
  [ -f "$ssh/id" ] || ssh-keygen -q -t ed25519 -N '' -C mooring-lab -f "$ssh/id"
  cp "$ssh/id.pub" "$ssh/authorized_keys"
  sshd_settings >"$ssh/sshd_config"
  if timeout 1 bash -c ": </dev/tcp/127.0.0.1/$SSH_PORT" 2>/dev/null; then
    fail "something that the lab did not start listens on 127.0.0.1:$SSH_PORT" 'MOORING_LAB_SSH_PORT=22023 test/lab/lab.sh staging'
  fi
  # Its path must be absolute, sshd executes itself again from /. In the foreground (-D), so that its pid is ours.
  spawn sshd /usr/sbin/sshd -D -f "$ssh/sshd_config" -E "$LAB/log/sshd.log"
  local i
  for i in $(seq 50); do
    timeout 1 bash -c ": </dev/tcp/127.0.0.1/$SSH_PORT" 2>/dev/null && return
    sleep 0.1
  done
  fail "sshd did not start (its log: $LAB/log/sshd.log)" 'test/lab/lab.sh status'
}

sshd_settings() {
  local pam=no
  # Without PAM sshd refuses every key of an account whose password is locked with "!".
  case $(getent shadow root | cut -d: -f2) in '!'*) pam=yes ;; esac
  cat <<E
Port $SSH_PORT
ListenAddress 127.0.0.1
HostKey $LAB/ssh/host
AuthorizedKeysFile $LAB/ssh/authorized_keys
AllowUsers root
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM $pam
PidFile none
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
E
}

write_ssh_config() {
  local folder=$WORKSPACE/.lab
  mkdir -p "$folder"
  printf '[127.0.0.1]:%s %s\n' "$SSH_PORT" "$(cut -d' ' -f1,2 "$LAB/ssh/host.pub")" >"$folder/known_hosts"
  cat >"$folder/ssh_config" <<E
Host $SSH_ALIAS
  HostName 127.0.0.1
  Port $SSH_PORT
  User root
  IdentityFile $LAB/ssh/id
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking yes
  UserKnownHostsFile "$folder/known_hosts"
  GlobalKnownHostsFile /dev/null
E
  NOTE="ssh -F .lab/ssh_config $SSH_ALIAS"
}
