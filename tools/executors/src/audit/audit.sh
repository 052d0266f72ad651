# shellcheck shell=sh
# The audit log of an environment, audit.jsonl in its folder on the host, and what decisions need of it.
#
#   append FOLDER KEPT     adds the entries on stdin, and brings the index up to them
#   last FOLDER LINES      prints the last lines
#   decisive FOLDER KEPT   prints what decisions need
#
# What decisions need, oldest first, whatever else was written since: of each container the last line that proves that it was there, and
# the last ends of deploys and roll-backs, KEPT of a kind.
#
# It is of the file index and of what the log has beyond it. The log is the truth: an index that is missing, or was torn by a crash of the
# host, is made anew from all of it, and one that a killed writer left behind lacks nothing. A log that was cut or taken away by hand leaves
# what the index knows; what is read twice counts once. The first line of the index says of how many bytes of the log it is, and how many
# bytes follow.

verb=$1 folder=$2 log=$2/audit.jsonl
NL='
'

# stat tells "is not there" from "may not be looked at", which [ -e ] does not.
there() {
  if why=$(LC_ALL=C stat -- "$1" 2>&1 >/dev/null); then return 0; fi
  case $why in
    *': No such file or directory') return 1 ;;
    *)
      echo "$why" >&2
      exit 1
      ;;
  esac
}

# lines TEXT: the text with the newline at its end that $(…) takes away; of nothing, nothing.
lines() { printf %s "${1:+$1$NL}"; }

# Sets bytes and body, of the index, and size, of the log; opens the log.
open_both() {
  bytes=0 body='' size=0
  if [ -e "$folder/index" ]; then
    exec 8<"$folder/index"
    read -r bytes rest <&8 || :
    body=$(cat <&8)
    case ${bytes:-}/${rest:-} in
      /* | */ | *[!0-9/]*) bytes=0 body='' ;;
      *) [ "$(lines "$body" | wc -c)" -eq "$rest" ] || bytes=0 body='' ;;
    esac
  fi
  if [ -e "$log" ]; then
    exec 7<"$log"
    size=$(stat -c %s -- "$log")
  fi
  [ "$bytes" -le "$size" ] || bytes=0
}

# digest KEPT. A quote within a value is escaped, so that no value can look like a key. A line that is not whole may have been anything.
digest() {
  {
    lines "$body"
    [ "$size" = 0 ] || tail -c "+$((bytes + 1))" <&7 || printf '\n!\n'
  } | LC_ALL=C tr '\000' '?' | LC_ALL=C awk -v kept="$1" '
function last(key) { if ($0 in seen) return; seen[$0]; if (key in at) delete line[at[key]]; at[key] = NR; line[NR] = $0 }
function ring(kind) { last(kind SUBSEP (count[kind]++ % kept)) }
$0 == "" { next }
$0 == "!" { unread = 1; exit 1 }
!/["\]]}$/ { $0 = substr($0, 1, 160); ring("rest"); next }
/"what":"prune"/ { if (/"result":"started"/) ring("rest"); next }
cut = index($0, ",\"changes\":[") { $0 = substr($0, 1, cut - 1) "}" }
/"what":"(provision|configure|adopt)"/ && match($0, /"container":"[^"]*"/) { last("known" substr($0, RSTART, RLENGTH)) }
/"what":"place"/ && match($0, /"container":"[^"]*"/) { last("place" substr($0, RSTART, RLENGTH)) }
/"what":"(deploy|rollback|undo)"/ {
  if (/"what":"deploy"/ ? /"result":"ok"/ : !/"result":"failed"/) ring(/"set":"/ ? "over" : "end"); else ring("rest")
}
END { if (unread) exit 1; for (i = 1; i <= NR; i++) if (i in line) print line[i] }'
}

case $verb in
  append)
    umask 077
    mkdir -p "$folder"
    exec 9<"$folder"
    flock -w 10 9 || { echo "another process keeps $folder locked" >&2; exit 74; }
    time=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
    # A line that a crash cut off is left as it is, and ended.
    if [ -s "$log" ]; then case $(tail -c 1 "$log" | od -An -tx1) in *0a) ;; *) echo >>"$log" ;; esac; fi
    sed "s/^{/{\"time\":\"$time\",/" | dd of="$log" oflag=append conv=notrunc,fsync iflag=fullblock bs=16M status=none
    open_both
    known=$(digest "$3")
    {
      printf '%s %s\n' "$size" "$(lines "$known" | wc -c)"
      lines "$known"
    } >"$folder/index.new"
    mv -f "$folder/index.new" "$folder/index"
    ;;
  last)
    if there "$log"; then
      echo present
      exec tail -n "$3" -- "$log"
    fi
    echo absent
    ;;
  decisive)
    if there "$log" || there "$folder/index"; then
      open_both
      echo present
      digest "$3"
    else echo absent; fi
    ;;
esac
