# shellcheck shell=bash
# Go, which builds MinIO once. Debian's versioned package lies beside whatever `go` is there already.

go_folders() {
  local found
  found=$(command -v go || true)
  [ -z "$found" ] || dirname "$found"
  printf '%s\n' /usr/local/go/bin /usr/lib/go-1.*/bin | sort -Vr
}

# new_enough_go prints the folder of the first go that is at least 1.21: from there on Go fetches the toolchain it wants.
new_enough_go() {
  local folder minor
  for folder in $(go_folders); do
    [ -x "$folder/go" ] || continue
    minor=$(GOTOOLCHAIN=local "$folder/go" version 2>/dev/null | sed -n 's/.* go1\.\([0-9]*\).*/\1/p')
    if [ "${minor:-0}" -ge 21 ]; then
      printf '%s\n' "$folder"
      return
    fi
  done
}

install_go() {
  local folder package release=()
  folder=$(new_enough_go)
  if [ -z "$folder" ]; then
    make_state_folder
    add_backports
    apt_update
    package=$(apt-cache pkgnames golang-1. | grep -E '^golang-1\.[0-9]+-go$' | sort -V | tail -n 1)
    [ -n "$package" ] || fail 'Debian offers no Go package on this machine' 'put Go 1.21 or newer into /usr/local/go, then: npm run quickstart'
    announce "installing $package"
    [ "$SUITE" = trixie ] || release=(-t bookworm-backports)
    apt_install "${release[@]}" "$package" || apt_failed install
    folder=$(new_enough_go)
    [ -n "$folder" ] || fail "$package is older than Go 1.21" 'put Go 1.21 or newer into /usr/local/go, then: npm run quickstart'
  fi
  NOTE=$folder
}
