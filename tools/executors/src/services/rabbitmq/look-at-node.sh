# shellcheck shell=sh
# UNIT DATA COOKIE FILE FILE FILE FILE FILE QUESTION …: few programs, since starting them is most of the time of a look: shell builtins
# where they do.
# shellcheck disable=SC2086 # lists of paths

unit=$1 data=$2 cookie=$3 files="$4 $5 $6 $7 $8"; shift 8
there=
for path in $files; do [ ! -e "$path" ] || there="$there $path"; done
if [ -n "$there" ]; then
  stat -c 'file %n %s %a %U:%G %.1A' $there; texts=$(cat $there | base64 -w0); printf 'texts %s.\n' "$texts"
fi
for dir in "$data"/*@*/; do
  case $dir in *-plugins-expand/ | *'*/') continue ;; esac
  for entry in "$dir"*; do
    [ -e "$entry" ] || continue
    dir=${dir%/}; printf 'data %s\n' "${dir##*/}"; break
  done
done
tables=/proc/net/tcp; [ ! -e /proc/net/tcp6 ] || tables="$tables /proc/net/tcp6"
awk '$4 == "0A" && $2 ~ /:1111$/ { print "epmd " $2 }' $tables
if [ -n "$cookie" ] && [ -e "$cookie" ]; then
  sum=$(tr -d '\n' <"$cookie" | sha256sum); printf 'cookie %s ' "${sum%% *}"; stat -c '%a %U:%G' "$cookie"
fi
state=$(systemctl show --property=ActiveState,UnitFileState "$unit"); printf '%s\n' "$state"
case $state in *ActiveState=active*) ;; *) exit 0 ;; esac
if said=$("$@"); then printf 'node %s.\n' "$said"; else printf 'node unreachable\n'; fi
