# shellcheck shell=sh
# ADDRESS: whether it is on a network of this machine, whether it answers a ping, and what the neighbour table says.

route=$(ip -4 route get "$1") || exit 1
case $route in *' via '*) link=no;; local*|*' dev lo '*) link=own;; *) link=yes;; esac
dev=${route#* dev }; dev=${dev%% *}; entry=
if [ "$link" = yes ]; then
  ip neigh flush to "$1" 2>/dev/null || :
  ip neigh replace "$1" dev "$dev" use 2>/dev/null || bash -c 'echo >"/dev/udp/$0/9"' "$1" 2>/dev/null || :
fi
ping=unasked
if command -v ping >/dev/null; then ping=no; ! ping -n -c 2 -i 0.3 -W 1 "$1" >/dev/null 2>&1 || ping=yes; fi
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
  [ "$link" = yes ] || break
  entry=$(ip -4 neigh show to "$1")
  case $entry in *STALE*|*DELAY*|*PROBE*|*INCOMPLETE*) sleep 0.5;; *) break;; esac
done
printf '%s %s\n%s\n' "$link" "$ping" "$entry"
