/** How many entries of a kind the index keeps: deploys made over a restore point, other ends, and what else has an order. */
export const KEPT = 200;

/**
 * Shell: what decisions need of an audit log, oldest first, whatever else was written since: of each container the last line that
 * proves that it was there, and the last ends of deploys and roll-backs. `$1` is the environment's folder, `$2` {@link KEPT}.
 *
 * It is of the file `index` and of what the log has beyond it. The log is the truth: an index that is missing, or was torn by a
 * crash of the host, is made anew from all of it, and one that a killed writer left behind lacks nothing. A log that was cut or
 * taken away by hand leaves what the index knows; what is read twice counts once. The first line of the index says of how many
 * bytes of the log it is, and how many bytes follow.
 *
 * A quote within a value is escaped, so that no value can look like a key. A line that is not whole may have been anything.
 */
export const digest = `log=$1/audit.jsonl; bytes=0; body=; size=0
if [ -e "$1/index" ]; then
  exec 8<"$1/index"; read -r bytes rest <&8 || :; body=$(cat <&8)
  case \${bytes:-}/\${rest:-} in
    /*|*/|*[!0-9/]*) bytes=0; body=;;
    *) [ "$(printf %s "\${body:+$body
}" | wc -c)" -eq "$rest" ] || { bytes=0; body=; };;
  esac
fi
if [ -e "$log" ]; then exec 7<"$log"; size=$(stat -c %s -- "$log"); fi
[ "$bytes" -le "$size" ] || bytes=0
digest() {
  { printf %s "\${body:+$body
}"; [ "$size" = 0 ] || tail -c "+$((bytes + 1))" <&7 || printf '\\n!\\n'; } | LC_ALL=C tr '\\000' '?' | LC_ALL=C awk -v kept="$2" '
function last(key) { if ($0 in seen) return; seen[$0]; if (key in at) delete line[at[key]]; at[key] = NR; line[NR] = $0 }
function ring(kind) { last(kind SUBSEP (count[kind]++ % kept)) }
$0 == "" { next }
$0 == "!" { unread = 1; exit 1 }
!/["\\]]}$/ { $0 = substr($0, 1, 160); ring("rest"); next }
/"what":"prune"/ { if (/"result":"started"/) ring("rest"); next }
cut = index($0, ",\\"changes\\":[") { $0 = substr($0, 1, cut - 1) "}" }
/"what":"(provision|configure|adopt)"/ && match($0, /"container":"[^"]*"/) { last("known" substr($0, RSTART, RLENGTH)) }
/"what":"place"/ && match($0, /"container":"[^"]*"/) { last("place" substr($0, RSTART, RLENGTH)) }
/"what":"(deploy|rollback|undo)"/ {
  if (/"what":"deploy"/ ? /"result":"ok"/ : !/"result":"failed"/) ring(/"set":"/ ? "over" : "end"); else ring("rest")
}
END { if (unread) exit 1; for (i = 1; i <= NR; i++) if (i in line) print line[i] }'
}
`;
