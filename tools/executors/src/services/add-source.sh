# shellcheck shell=sh
# add_source FILE: adds the apt source on stdin. Its lists are fetched while it is still beside apt's own sources: an unreachable or wrongly
# signed one never comes among them.

add_source() (
  umask 022; export LC_ALL=C.UTF-8
  work=$(mktemp -d -p /run); trap 'rm -rf "$work"' EXIT
  cat >"$work/new.sources"
  left=150
  until apt-get -q update -o "Dir::Etc::sourcelist=$work/new.sources" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=false \
    -o APT::Update::Error-Mode=any -o Acquire::Retries=2 2>"$work/said"; do
    if ! grep -q 'Could not get lock' "$work/said" || [ "$left" -le 0 ]; then cat "$work/said" >&2; exit 100; fi
    left=$((left - 1)); sleep 2
  done
  install -D -m 0644 "$work/new.sources" "$1"
)
