# shellcheck shell=bash
# UNIT USER ENV UNITFILE ROOTUSER ROOTPASSWORD DATADIR BINARY: one program for everything, and two processes in it: they are what a no-op costs.
# It answers in lines: user, now, file (path, mode, owner, modification time, kind), text (path, a line of it), same and differs (path), and
# systemd's Name=value. read -d '' gives a whole file, and is false at its end.

LC_ALL=C unit=$1 user=$2 env=$3 unitfile=$4 rootuser=$5 rootpassword=$6
IFS= read -rd '' want || true
read -rd '' passwd </etc/passwd || true
case $'\n'$passwd in *$'\n'"$user:"*) echo 'user yes' ;; *) echo 'user no' ;; esac
printf 'now %(%s)T\n' -1
present=()
for f in "${@:3}"; do [ ! -e "$f" ] || present+=("$f"); done
[ ${#present[@]} = 0 ] || stat -c 'file %n %a %U:%G %Y %.1A' "${present[@]}"
for f in "$env" "$unitfile"; do
  [ ! -e "$f" ] || while IFS= read -r line || [ -n "$line" ]; do printf 'text %s %s\n' "$f" "$line"; done <"$f"
done
compare() {
  [ -e "$1" ] || return 0
  IFS= read -rd '' have <"$1" || true
  if [ "$have" = "$2" ]; then echo "same $1"; else echo "differs $1"; fi
}
compare "$rootuser" "${want%%$'\x01'*}"
compare "$rootpassword" "${want#*$'\x01'}"
exec systemctl show --timestamp=unix --property=ActiveState,UnitFileState,NeedDaemonReload,ExecMainStartTimestamp "$unit"
